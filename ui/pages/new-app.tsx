import { CommandLine } from "../components/copyable.tsx";
import { attribute } from "../components/escape.ts";
import { Failure, type FailureView } from "../components/failure.tsx";
import { Field, type FieldErrors, Submit, TextArea } from "../components/field.tsx";
import { Form } from "../components/form.tsx";
import { shortCommit } from "../components/format.ts";
import { shellWord } from "../components/shell-word.ts";
import { CredentialFields, SealedCredential } from "../partials/credential-fields.tsx";
import { DeployKey, type DeployKeyView } from "../partials/deploy-key.tsx";
import { ImageForm } from "../partials/image-form.tsx";

/** A config value that the repository asks for. */
export interface WantedVar {
  name: string;
  value: string;
  description: string;
  required: boolean;
  secret: boolean;
  /** Left empty, the box makes a random one. */
  generated: boolean;
  pattern: string | null;
  from: string;
}

/** What a look at the repository found. */
export interface FoundView {
  repo_url: string;
  commit: string | null;
  branches: string[];
  provider: string;
  findings: { label: string; value: string; from: string }[];
  warnings: string[];
  config: WantedVar[];
}

export interface NewAppView {
  repoUrl: string;
  /** null = the repository was not looked at yet. */
  found: FoundView | null;
  /** An ssh address needs a key at its host first: of which app, and the key once it is made. */
  deployKey: { app: string; made: DeployKeyView | null } | null;
  /** What opened the repository, sealed, and the host it is for. */
  sealed: string | null;
  sealedFor: string | null;
  /** Typed beside a password, which is never shown again. */
  username: string;
  name: string;
  branch: string;
  /** Raw dotenv text for what .env.example does not list. */
  extra: string;
  errors: FieldErrors;
  failure: FailureView | null;
  /** The name belongs to an app from another source: offer to replace that. */
  mayReplace: boolean;
}

const ANSWER_IN_MS = 180_000;

export function NewAppPage(view: NewAppView) {
  return (
    <div id="page">
      <h1>Deploy an app</h1>
      {view.failure ? <Failure failure={view.failure} /> : null}
      <Form action="/apps/new/look" class="lookform" label="Repository" timeoutMs={ANSWER_IN_MS}>
        <Field
          name="repo_url"
          label="Git repository"
          value={view.repoUrl}
          required
          mono
          autofocus={view.found === null}
          placeholder="https://github.com/you/app"
          error={view.errors.repo_url}
          hint={
            view.found
              ? undefined
              : "https://, git@host:…, or a path on the box. Diplo looks at it before anything is built."
          }
        />
        <Submit
          text={view.found ? "Look again" : "Look"}
          busy="Looking at the repository…"
          kind={view.found || view.deployKey ? "quiet" : "primary"}
        />
        {view.deployKey?.made ? (
          <input type="hidden" name="app" value={attribute(view.deployKey.app)} />
        ) : null}
        {view.deployKey ? null : <PrivateRepository view={view} />}
      </Form>
      {view.deployKey ? <KeyForm view={view} deployKey={view.deployKey} /> : null}
      {view.found ? <DeployForm view={view} found={view.found} /> : view.deployKey ? null : <OtherWays />}
      <CommandLine command={commandFor(view)} />
    </div>
  );
}

const commandFor = ({ repoUrl, name, found }: NewAppView): string =>
  found
    ? `diplo deploy ${shellWord(repoUrl)} --name ${shellWord(name)}`
    : `diplo deploy ${shellWord(repoUrl || "https://github.com/you/app")}`;

function PrivateRepository({ view }: { view: NewAppView }) {
  const { errors, username, sealed, failure } = view;
  const wrong = Boolean(errors.github_token || errors.token || errors.username || errors.password);
  const fields = (
    <>
      <CredentialFields errors={errors} username={username} />
      {sealed ? <input type="hidden" name="sealed_credential" value={attribute(sealed)} /> : null}
    </>
  );
  // A morph leaves a <details> as the person left it: what must be seen is none.
  return wrong || (username !== "" && view.found === null) || failure?.code === "auth_failed" ? (
    <div class="wide">
      <h2>It is private</h2>
      {fields as "safe"}
    </div>
  ) : (
    <details class="wide">
      <summary>It is private</summary>
      {fields as "safe"}
    </details>
  );
}

/** Over ssh the host must know the app's key before anything can be looked at. */
function KeyForm({ view, deployKey }: { view: NewAppView; deployKey: NonNullable<NewAppView["deployKey"]> }) {
  const { app, made } = deployKey;
  return (
    <section aria-labelledby="key-title">
      <h2 id="key-title">Its deploy key</h2>
      {made ? (
        <>
          <DeployKey deployKey={made} />
          {view.found ? null : (
            <Form action="/apps/new/look" class="inline" label="Look with the key" timeoutMs={ANSWER_IN_MS}>
              <input type="hidden" name="repo_url" value={attribute(view.repoUrl)} />
              <input type="hidden" name="app" value={attribute(app)} />
              <Submit text="It is added: look" busy="Looking at the repository…" />
            </Form>
          )}
        </>
      ) : (
        <Form action="/apps/new/key" class="oneline" label="Deploy key">
          <input type="hidden" name="repo_url" value={attribute(view.repoUrl)} />
          <Field
            name="name"
            id="f-key-name"
            label="The app's name"
            value={app}
            required
            mono
            error={view.errors.name}
            hint="The host must know a key of this app; a–z, 0–9 and -"
          />
          <Submit text="Make its key" busy="Making a key…" />
        </Form>
      )}
    </section>
  );
}

function OtherWays() {
  return (
    <>
      <section>
        <h2>From an image</h2>
        <ImageForm image="" name="" port="" errors={{}} mayReplace={false} />
      </section>
      <section>
        <h2>From a folder</h2>
        <p>
          A directory on your own machine is sent by the command line, without what .gitignore leaves out:
        </p>
        <p>
          <code>diplo deploy .</code>
        </p>
      </section>
    </>
  );
}

function DeployForm({ view, found }: { view: NewAppView; found: FoundView }) {
  return (
    <>
      <Found found={found} />
      <Form action="/apps/new" class="stack" label="Deploy">
        <input type="hidden" name="repo_url" value={attribute(found.repo_url)} />
        {view.deployKey ? <input type="hidden" name="app" value={attribute(view.deployKey.app)} /> : null}
        <SealedCredential sealed={view.sealed} host={view.sealedFor} />
        <h2>How it is called</h2>
        <div class="grid">
          <Field
            name="name"
            label="Name"
            value={view.name}
            required
            mono
            error={view.errors.name}
            hint="a–z, 0–9 and -; it becomes the app's address"
          />
          <BranchField view={view} branches={found.branches} />
        </div>
        <h2>Config</h2>
        <ConfigFields view={view} found={found} />
        {view.mayReplace ? (
          <label class="check">
            <input type="checkbox" name="replace_source" value="1" /> Replace what that app was deployed from
          </label>
        ) : null}
        <p class="actions">
          <Submit text="Deploy" busy="Starting…" />
        </p>
      </Form>
    </>
  );
}

function Found({ found }: { found: FoundView }) {
  return (
    <section aria-labelledby="found-title">
      <h2 id="found-title">What was found</h2>
      <table class="rows found">
        <thead class="away">
          <tr>
            <th scope="col">What</th>
            <th scope="col">Value</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {found.findings.map((finding) => (
            <tr>
              <th scope="row" safe>
                {finding.label}
              </th>
              <td>
                <code safe>{finding.value}</code>
              </td>
              <td class="faint" safe>
                {finding.from}
              </td>
            </tr>
          ))}
          {found.commit ? (
            <tr>
              <th scope="row">Commit</th>
              <td>
                <code safe>{shortCommit(found.commit)}</code>
              </td>
              <td class="faint">newest of the branch</td>
            </tr>
          ) : null}
        </tbody>
      </table>
      {found.warnings.length > 0 ? (
        <ul class="warnings">
          {found.warnings.map((warning) => (
            <li safe>{warning}</li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

function BranchField({ view, branches }: { view: NewAppView; branches: string[] }) {
  return (
    <div class={["field", view.errors.branch && "wrong"]}>
      <label for="f-branch">Branch</label>
      <input
        id="f-branch"
        name="branch"
        class="mono"
        value={attribute(view.branch)}
        list="branches"
        autocomplete="off"
        spellcheck="false"
      />
      <datalist id="branches">
        {branches.map((branch) => (
          <option value={attribute(branch)} />
        ))}
      </datalist>
      {view.errors.branch ? (
        <p class="error" safe>
          {view.errors.branch}
        </p>
      ) : null}
      <p class="hint">Empty: the repository's own default</p>
    </div>
  );
}

function ConfigFields({ view, found }: { view: NewAppView; found: FoundView }) {
  return (
    <>
      {found.config.length > 0 ? (
        <div class="grid">
          {found.config.map((each) => (
            <Field
              name={`env:${each.name}`}
              label={each.name}
              value={each.value}
              required={each.required && each.value === "" && !each.generated}
              mono
              error={view.errors[`env:${each.name}`]}
              {...configFacts(each)}
            />
          ))}
        </div>
      ) : (
        <p class="faint">The repository names no config (.env.example, app.json).</p>
      )}
      <details open={view.extra !== "" || Boolean(view.errors.extra)}>
        <summary>More config, as .env text</summary>
        <TextArea
          name="extra"
          label="More config"
          value={view.extra}
          rows={5}
          error={view.errors.extra}
          hint="One NAME=value a line. Values are sealed on disk."
        />
      </details>
    </>
  );
}

function configFacts({ description, required, secret, generated, pattern, from }: WantedVar) {
  const facts = [description, generated ? "empty: a random one" : required ? "required" : "", `from ${from}`];
  return {
    hint: facts.filter(Boolean).join("; "),
    ...(secret && { type: "password" as const }),
    // What a repository calls a pattern may be no pattern of a browser's: those are judged by the box alone.
    ...(pattern !== null && isPattern(pattern) && { pattern }),
  };
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, "v") !== null;
  } catch {
    return false;
  }
}
