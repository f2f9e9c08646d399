import { CommandLine } from "../components/copyable.tsx";
import { pathTo } from "../components/escape.ts";
import { Failure, type FailureView } from "../components/failure.tsx";
import { Field, type FieldErrors, Submit } from "../components/field.tsx";
import { ActionButton, Form } from "../components/form.tsx";
import { Notice, type NoticeView } from "../components/notice.tsx";
import { TimeAgo } from "../components/time-ago.tsx";

export interface RegistryView {
  id: string;
  server: string;
  username: string;
  created_by: string;
  created_at: string;
}

export interface RegistriesView {
  registries: RegistryView[];
  /** Never the password: it is typed again. */
  draft: { server: string; username: string };
  errors: FieldErrors;
  failure: FailureView | null;
  notice: NoticeView | null;
  now: number;
}

export function RegistriesPage({ registries, draft, errors, failure, notice, now }: RegistriesView) {
  return (
    <div id="page">
      <h1>Registries</h1>
      {failure ? <Failure failure={failure} /> : null}
      <Notice notice={notice} />
      {registries.length === 0 ? (
        <p class="faint">
          Public images need nothing here. For private ones, and private base images, the box signs in to
          their registry.
        </p>
      ) : (
        <RegistryTable registries={registries} now={now} />
      )}
      <Form action="/box/registries" class="stack" label="Sign in to a registry">
        <h2>Sign in to a registry</h2>
        <div class="grid">
          <Field
            name="server"
            label="Registry"
            value={draft.server}
            required
            mono
            error={errors.server}
            placeholder="ghcr.io"
            hint="Host and port; docker.io is Docker Hub"
          />
          <Field
            name="username"
            label="User name"
            value={draft.username}
            required
            mono
            error={errors.username}
          />
          <Field
            name="password"
            label="Password or token"
            type="password"
            required
            error={errors.password}
            hint="Sealed on disk, never shown again"
          />
        </div>
        <p class="actions">
          <Submit text="Keep it" busy="Sealing…" />
        </p>
      </Form>
      <CommandLine command="diplo registries:add ghcr.io USER --password -" />
    </div>
  );
}

function RegistryTable({ registries, now }: Pick<RegistriesView, "registries" | "now">) {
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">Registry</th>
          <th scope="col">As</th>
          <th scope="col">Since</th>
          <th scope="col">
            <span class="away">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {registries.map((registry) => (
          <tr>
            <th scope="row">
              <code safe>{registry.server}</code>
            </th>
            <td data-label="As" safe>
              {registry.username}
            </td>
            <td data-label="Since">
              <TimeAgo at={registry.created_at} now={now} />
              <span class="sub" safe>{`by ${registry.created_by}`}</span>
            </td>
            <td class="end">
              <ActionButton
                action={pathTo`/box/registries/${registry.id}/test`}
                text="Test"
                busy="Signing in…"
              />
              <ActionButton
                action={pathTo`/box/registries/${registry.id}/remove`}
                text="Remove"
                busy="Removing…"
                kind="danger"
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
