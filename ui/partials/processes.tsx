import { escapeHtml } from "@kitajs/html";
import { Field, type FieldErrors, Submit } from "../components/field.tsx";
import { Form } from "../components/form.tsx";

export interface ProcessView {
  process: string;
  /** `proxy`: files that Diplo serves itself, without a container. */
  served_by: "container" | "proxy";
  quantity: number;
  command: string[] | null;
  /** Where the command came from, e.g. `Procfile`. */
  from: string;
}

export function Processes({
  processes,
  base,
  errors,
}: {
  processes: ProcessView[];
  base: string;
  errors: FieldErrors;
}) {
  if (processes.length === 0) {
    return (
      <section>
        <h2>Processes</h2>
        <p class="faint">Known once the app has been deployed.</p>
      </section>
    );
  }
  return (
    <section aria-labelledby="processes-title">
      <h2 id="processes-title">Processes</h2>
      <Form action={`${base}/scale`} class="stack" label="Instances by process">
        {processes.map((each) => (
          <div class="process">
            <Field
              name={`scale:${each.process}`}
              label={each.process}
              value={each.quantity}
              type="number"
              min={0}
              max={each.served_by === "proxy" ? 1 : 100}
              unit="instances"
              error={errors[`scale:${each.process}`] ?? errors[each.process]}
            />
            <p class="faint">
              {each.served_by === "proxy" ? (
                <span safe>{`Served by the proxy, no container: ${each.from}`}</span>
              ) : (
                <>
                  <code>{escapeHtml(each.command?.join(" ") ?? "the image's own command")}</code>
                  <span safe>{` from ${each.from}`}</span>
                </>
              )}
            </p>
          </div>
        ))}
        <p class="actions">
          <Submit text="Scale" busy="Scaling…" kind="quiet" />
        </p>
      </Form>
    </section>
  );
}
