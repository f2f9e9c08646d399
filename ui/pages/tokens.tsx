import { escapeHtml } from "@kitajs/html";
import { CommandLine, Copyable } from "../components/copyable.tsx";
import { pathTo } from "../components/escape.ts";
import { Field, type FieldErrors, Select, Submit } from "../components/field.tsx";
import { ActionButton, Form } from "../components/form.tsx";
import { TimeAgo } from "../components/time-ago.tsx";

export interface TokenView {
  id: string;
  name: string;
  prefix: string;
  permissions: string[];
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
}

export interface TokensView {
  tokens: TokenView[];
  /** The secret of the token just made: shown this once. */
  created: { name: string; token: string } | null;
  draft: { name: string; scope: string; expires_in_days: string };
  errors: FieldErrors;
  now: number;
}

export function TokensPage({ tokens, created, draft, errors, now }: TokensView) {
  return (
    <div id="page">
      <h1>API tokens</h1>
      {created ? <Created created={created} /> : null}
      {tokens.length === 0 ? (
        <p class="faint">
          No token yet. Programs (CI, scripts, the command line on another machine) sign in with one.
        </p>
      ) : (
        <TokenTable tokens={tokens} now={now} />
      )}
      <Form action="/box/tokens" class="stack" label="New token">
        <h2>New token</h2>
        <div class="grid">
          <Field name="name" label="Name" value={draft.name} required error={errors.name} placeholder="ci" />
          <Select
            name="scope"
            label="May"
            value={draft.scope}
            error={errors.scopes}
            options={[
              { value: "read", text: "read" },
              { value: "deploy", text: "read and deploy" },
              { value: "write", text: "read, deploy and change" },
              { value: "admin", text: "everything" },
            ]}
          />
          <Select
            name="expires_in_days"
            label="Valid for"
            value={draft.expires_in_days}
            error={errors.expires_in_days}
            options={[
              { value: "30", text: "30 days" },
              { value: "90", text: "90 days" },
              { value: "365", text: "a year" },
              { value: "", text: "ever" },
            ]}
          />
        </div>
        <p class="actions">
          <Submit text="Make the token" busy="Making…" />
        </p>
      </Form>
      <CommandLine command="diplo tokens:create ci --scopes deploy" />
    </div>
  );
}

function Created({ created }: { created: { name: string; token: string } }) {
  return (
    <section class="notice secret" role="status">
      <p>
        Token <strong safe>{created.name}</strong>. Copy it now: it is not shown again.
      </p>
      <p>
        <Copyable value={created.token} label="the token" />
      </p>
    </section>
  );
}

function TokenTable({ tokens, now }: { tokens: TokenView[]; now: number }) {
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col">May</th>
          <th scope="col">Last used</th>
          <th scope="col">Expires</th>
          <th scope="col">
            <span class="away">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <tr>
            <th scope="row">
              <span safe>{token.name}</span>
              <span class="sub">
                <code safe>{`${token.prefix}…`}</code>
              </span>
            </th>
            <td data-label="May" safe>
              {token.permissions.join(", ")}
            </td>
            <td data-label="Last used">
              {token.last_used_at ? <TimeAgo at={token.last_used_at} now={now} /> : "never"}
            </td>
            <td data-label="Expires">
              {token.expires_at ? escapeHtml(token.expires_at.slice(0, 10)) : "never"}
            </td>
            <td class="end">
              <ActionButton
                action={pathTo`/box/tokens/${token.id}/revoke`}
                text="Revoke"
                busy="Revoking…"
                kind="danger"
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
