import { Copyable } from "../components/copyable.tsx";
import { Field } from "../components/field.tsx";

export interface SignInView {
  /** Why the last try failed. */
  error: string | null;
  /** True on /setup: the link's token stands in the address's fragment, setup.client.js sends it. */
  fromLink: boolean;
}

/** One field, one button, and what to do when it fails. Serves /setup and /login. */
export function SignInPage({ error, fromLink }: SignInView) {
  return (
    <div id="page" class="signin" data-setup={fromLink ? "" : undefined}>
      <h1>Sign in to Diplo</h1>
      {fromLink ? (
        <p class="lead" role="status" data-setup-status="">
          Signing in with the link…
        </p>
      ) : (
        <p class="lead">Paste a one-time sign-in link. The first one was printed when Diplo started.</p>
      )}
      <form method="post" action="/login" class="stack">
        <Field
          name="link"
          label="Sign-in link"
          required
          mono
          placeholder="http://box.local:8080/setup#…"
          error={error ?? undefined}
          hint="The whole link, or only what follows the #. It works once, for 10 minutes."
        />
        <button type="submit" class="button primary">
          Sign in
        </button>
      </form>
      <section>
        <h2>No link, or it has expired?</h2>
        <p>On the box itself, make another one:</p>
        <p>
          <Copyable value="diplo login-link" label="the command" />
        </p>
      </section>
    </div>
  );
}
