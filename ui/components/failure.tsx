import { ansiLine } from "./ansi.ts";
import { failureTitle } from "./failure-title.ts";

/** An error explained: what is wrong, what to do, what it rests on. */
export interface FailureView {
  code: string;
  title: string;
  detail: string;
  evidence: string[];
  hint: string | null;
}

export function Failure({ failure, heading }: { failure: FailureView; heading?: string }) {
  const { code, detail, evidence, hint } = failure;
  return (
    <section class="failure" role="alert">
      <h2 safe>{heading ?? failureTitle(failure)}</h2>
      <p safe>{detail}</p>
      {hint ? (
        <p class="hint">
          <strong>What to do:</strong> <span safe>{hint}</span>
        </p>
      ) : null}
      {evidence.length > 0 ? (
        <pre class="evidence" tabindex="0">
          {evidence.map(ansiLine).join("\n") as "safe"}
        </pre>
      ) : null}
      <p class="code">
        Code <code safe>{code}</code>
      </p>
    </section>
  );
}
