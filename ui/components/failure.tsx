import { ansiLine } from "./ansi.ts";

/** An error explained: what is wrong, what it rests on, what to do. */
export interface FailureView {
  code: string;
  title: string;
  detail: string;
  evidence: string[];
  hint: string | null;
}

export function Failure({ failure, heading }: { failure: FailureView; heading?: string }) {
  return (
    <section class="failure" role="alert">
      <h2 safe>{heading ?? failure.title}</h2>
      <p safe>{failure.detail}</p>
      {failure.evidence.length > 0 ? (
        <pre class="evidence" tabindex="0">
          {failure.evidence.map(ansiLine).join("\n")}
        </pre>
      ) : null}
      {failure.hint ? (
        <p class="hint">
          <strong>What to do:</strong> <span safe>{failure.hint}</span>
        </p>
      ) : null}
      <p class="code">
        Code <code safe>{failure.code}</code>
      </p>
    </section>
  );
}
