import { type FieldErrors, Select, Submit, TextArea } from "../components/field.tsx";
import { ActionButton, Form } from "../components/form.tsx";
import { CredentialFields } from "./credential-fields.tsx";
import { DeployKey, type DeployKeyView } from "./deploy-key.tsx";

export interface SourceAccessView {
  deployKey: DeployKeyView | null;
  credentials: { kind: string; origin: string; username: string | null }[];
  /** The source is at an https:// address, so that a credential can be kept for it. */
  overHttps: boolean;
}

/** What opens a private repository: a key over ssh, a token or a password over https. */
export function SourceAccess(props: SourceAccessView & { base: string; errors: FieldErrors }) {
  const { deployKey, credentials, overHttps, base, errors } = props;
  return (
    <section aria-labelledby="access-title">
      <h2 id="access-title">Private repository</h2>
      {deployKey ? (
        <DeployKey deployKey={deployKey} />
      ) : (
        <p class="faint">Over ssh an app has a deploy key of its own. This one has none yet.</p>
      )}
      <ActionButton
        action={`${base}/deploy-key`}
        text={deployKey ? "Make another key" : "Make a deploy key"}
        busy="Making a key…"
        fields={deployKey ? { replace: "1" } : {}}
      />
      {credentials.map((kept) => (
        <div class="oneline">
          <p>
            <span safe>{`A ${kept.kind}${kept.username ? ` of ${kept.username}` : ""} for `}</span>
            <code safe>{kept.origin}</code>, sealed
          </p>
          <ActionButton
            action={`${base}/credential/remove`}
            text="Forget it"
            busy="Forgetting…"
            fields={{ origin: kept.origin }}
          />
        </div>
      ))}
      {overHttps ? (
        <details open={Boolean(errors.github_token || errors.token || errors.username || errors.password)}>
          <summary safe>{credentials.length > 0 ? "Give another" : "Give a token or a password"}</summary>
          <Form action={`${base}/credential`} class="stack" label="Credential">
            <CredentialFields errors={errors} username="" />
            <p class="actions">
              <Submit text="Keep it sealed" busy="Sealing…" kind="quiet" />
              <span class="faint">The next deployment uses it.</span>
            </p>
          </Form>
        </details>
      ) : null}
    </section>
  );
}

export interface WatchPathsView {
  /** One pattern a line. */
  watch_paths: string;
  ignore_paths: string;
  path_filter: string;
}

/** Which changes are worth a deployment that was not asked for by a person. */
export function WatchPaths(props: { watch: WatchPathsView; base: string; errors: FieldErrors }) {
  const { watch, base, errors } = props;
  return (
    <section aria-labelledby="watch-title">
      <h2 id="watch-title">Which changes count</h2>
      <Form action={`${base}/watch`} class="stack" label="Which changes count">
        <TextArea
          name="watch_paths"
          label="Watched paths"
          value={watch.watch_paths}
          rows={3}
          error={errors.watch_paths}
          hint="One a line, from the repository's root: * in a name, ** across directories. Empty: everything, or the app's own directory"
        />
        <TextArea
          name="ignore_paths"
          label="Ignored paths"
          value={watch.ignore_paths}
          rows={3}
          error={errors.ignore_paths}
        />
        <Select
          name="path_filter"
          label="When in doubt"
          value={watch.path_filter}
          options={[
            { value: "strict", text: "strict: only what is watched and not ignored" },
            { value: "loose", text: "loose: all that is not ignored" },
          ]}
        />
        <p class="actions">
          <Submit text="Save the paths" busy="Saving…" kind="quiet" />
          <span class="faint">
            For deployments with <code>--if-changed</code>.
          </span>
        </p>
      </Form>
    </section>
  );
}
