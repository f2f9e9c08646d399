import { CommandLine, Copyable } from "../components/copyable.tsx";
import { attribute, pathTo } from "../components/escape.ts";
import { Field, type FieldErrors, Submit, TextArea } from "../components/field.tsx";
import { ActionButton, Form } from "../components/form.tsx";
import { formatCount } from "../components/format.ts";
import { Notice, type NoticeView } from "../components/notice.tsx";
import { TimeAgo } from "../components/time-ago.tsx";
import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";

export interface ConfigVarView {
  name: string;
  /** null = masked. */
  value: string | null;
  version: number;
  updated_at: string;
  updated_by: string;
}

export interface AppConfigView {
  app: AppHeading;
  vars: ConfigVarView[];
  /** What the add form holds, after it was refused. */
  draft: { name: string; value: string };
  errors: FieldErrors;
  now: number;
  notice?: NoticeView | undefined;
}

/** The app's config: names, masked values, each revealed or changed on its own, or all of it as .env text. */
export function AppConfigPage(view: AppConfigView) {
  const ref = appRef(view.app);
  return (
    <div id="page">
      <AppHeader app={view.app} tab="config" />
      <Notice notice={view.notice} />
      <p class="lead">
        Each change makes a new release; the app restarts into it without a gap. Values are sealed on disk.
      </p>
      {view.vars.length === 0 ? (
        <p class="empty-title">No config yet. Add the first value below.</p>
      ) : (
        <VarTable vars={view.vars} appRef={ref} now={view.now} />
      )}
      <AddForm view={view} appRef={ref} />
      <p>
        <a class="button quiet" href={pathTo`/apps/${ref}/config/raw`}>
          Edit all as .env text
        </a>{" "}
        <span class="faint">shows every value</span>
      </p>
      <CommandLine command={`diplo config:set -a ${ref} NAME=value`} />
    </div>
  );
}

function VarTable({ vars, appRef: ref, now }: { vars: ConfigVarView[]; appRef: string; now: number }) {
  return (
    <table class="rows config">
      <caption class="away">Config</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Value</th>
          <th scope="col">Changed</th>
          <th scope="col">
            <span class="away">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {vars.map((each) => (
          <VarRow each={each} appRef={ref} now={now} />
        ))}
      </tbody>
    </table>
  );
}

/** One row; its own id, so that revealing a value replaces nothing else. */
export function VarRow({ each, appRef: ref, now }: { each: ConfigVarView; appRef: string; now: number }) {
  const id = `var-${each.name}`;
  return (
    <tr id={attribute(id)}>
      <th scope="row">
        <Copyable value={each.name} label="the name" />
      </th>
      <td class="value">
        {each.value === null ? (
          <ActionButton
            action={pathTo`/apps/${ref}/config/reveal`}
            text="Reveal"
            busy="Opening…"
            fields={{ name: each.name }}
            target={`#${cssIdentifier(id)}`}
          />
        ) : (
          <Copyable value={each.value} show={shortened(each.value)} label="the value" />
        )}
      </td>
      <td class="faint">
        <TimeAgo at={each.updated_at} now={now} />
        <span class="sub" safe>{`by ${each.updated_by}, version ${each.version}`}</span>
      </td>
      <td class="end">
        <ActionButton
          action={pathTo`/apps/${ref}/config/unset`}
          text="Remove"
          busy="Removing…"
          fields={{ name: each.name }}
        />
      </td>
    </tr>
  );
}

/** A certificate is worth a look, a novel is not; copying gives all of it. */
const shortened = (value: string): string =>
  value.length > 600 ? `${value.slice(0, 600)}… (${formatCount(value.length)} characters)` : value || " ";

/** Names of config are identifiers, so nothing needs escaping in a selector; anything else is left out. */
const cssIdentifier = (id: string): string => id.replace(/[^A-Za-z0-9_-]/g, "");

function AddForm({ view, appRef: ref }: { view: AppConfigView; appRef: string }) {
  return (
    <Form action={pathTo`/apps/${ref}/config`} class="stack" label="Add or change a value">
      <h2>Add or change</h2>
      <div class="grid">
        <Field
          name="name"
          label="Name"
          value={view.draft.name}
          required
          mono
          pattern="[A-Za-z_][A-Za-z0-9_]*"
          error={view.errors.name}
          hint="Letters, digits and _"
        />
        <TextArea name="value" label="Value" value={view.draft.value} rows={2} error={view.errors.value} />
      </div>
      <p class="actions">
        <Submit text="Save" busy="Saving…" />
      </p>
    </Form>
  );
}
