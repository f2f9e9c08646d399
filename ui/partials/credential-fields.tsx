import { attribute } from "../components/escape.ts";
import { Field, type FieldErrors } from "../components/field.tsx";

/** What opens a private repository over https. Nothing typed here is ever shown again. */
export function CredentialFields({ errors, username }: { errors: FieldErrors; username: string }) {
  return (
    <div class="grid">
      <Field
        name="github_token"
        type="password"
        label="Token"
        mono
        error={errors.github_token ?? errors.token}
        hint="One that may read the repository, of any host"
      />
      <Field name="username" label="Or user name" mono value={username} error={errors.username} />
      <Field name="password" type="password" label="and password" mono error={errors.password} />
    </div>
  );
}

/** The credential of an earlier step of this form, unreadable to everyone but the box. */
export function SealedCredential({ sealed, host }: { sealed: string | null; host: string | null }) {
  if (sealed === null) return "";
  return (
    <p class="faint">
      <input type="hidden" name="sealed_credential" value={attribute(sealed)} />
      <span
        safe
      >{`Reached with the ${host ? `credential for ${host}` : "credential"} you gave; it is kept sealed when you deploy.`}</span>
    </p>
  );
}
