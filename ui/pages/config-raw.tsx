import { CommandLine } from "../components/copyable.tsx";
import { attribute, pathTo } from "../components/escape.ts";
import { type FieldErrors, Submit, TextArea } from "../components/field.tsx";
import { Form } from "../components/form.tsx";
import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";

export interface ConfigChange {
  name: string;
  kind: "added" | "changed" | "removed";
  before: string | null;
  after: string | null;
}

export interface ConfigRawView {
  app: AppHeading;
  dotenv: string;
  /** null = still being written; otherwise what saving would change. */
  changes: ConfigChange[] | null;
  errors: FieldErrors;
}

/** All config as .env text. Nothing is saved before its difference was seen. */
export function ConfigRawPage(view: ConfigRawView) {
  const ref = appRef(view.app);
  const base = pathTo`/apps/${ref}/config`;
  return (
    <div id="page">
      <AppHeader app={view.app} tab="config" />
      {view.changes ? <Difference changes={view.changes} dotenv={view.dotenv} base={base} /> : null}
      <Form action={`${base}/preview`} class="stack" label="Config as .env text">
        <TextArea
          name="dotenv"
          label="Config as .env text"
          value={view.dotenv}
          rows={Math.min(40, Math.max(12, view.dotenv.split("\n").length + 2))}
          error={view.errors.dotenv}
          hint="One NAME=value a line; quote what holds spaces or line breaks. A name that is missing here is removed."
        />
        <p class="actions">
          <Submit text="Show the difference" busy="Comparing…" kind={view.changes ? "quiet" : "primary"} />
          <a href={base}>Back without saving</a>
        </p>
      </Form>
      <CommandLine command={`diplo config:import -a ${ref} .env`} />
    </div>
  );
}

function Difference({ changes, dotenv, base }: { changes: ConfigChange[]; dotenv: string; base: string }) {
  if (changes.length === 0) return <p class="notice">Nothing differs from what is saved.</p>;
  return (
    <section class="diff" aria-labelledby="diff-title">
      <h2 id="diff-title" safe>
        {changes.length === 1 ? "1 change" : `${changes.length} changes`}
      </h2>
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((change) => (
            <tr class={change.kind}>
              <th scope="row">
                <code safe>{change.name}</code>
                <span class="sub">{change.kind}</span>
              </th>
              <td>
                {change.before === null ? <span class="faint">–</span> : <del safe>{change.before}</del>}
              </td>
              <td>{change.after === null ? <span class="faint">–</span> : <ins safe>{change.after}</ins>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Form action={`${base}/file`} class="inline" label="Save">
        <input type="hidden" name="dotenv" value={attribute(dotenv)} />
        <Submit text="Save and release" busy="Saving…" />
      </Form>
    </section>
  );
}
