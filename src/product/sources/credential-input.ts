import { type Static, Type as t } from "@sinclair/typebox";
import type { SourceCredential } from "../../engine/source/source.ts";
import { invalid } from "../../errors.ts";

const secret = (description: string) =>
  t.Optional(t.String({ maxLength: 10_000, description, writeOnly: true }));

export const CredentialFields = {
  github_token: secret("A token that may read the repository, of any host; kept sealed"),
  username: t.Optional(t.String({ maxLength: 500, description: "Instead of a token, with a password" })),
  password: secret("Kept sealed"),
};

/** What reaches a private repository over https (capabilities B1): a token, or user name and password. */
export const CredentialInput = t.Object(CredentialFields);
export type CredentialInput = Static<typeof CredentialInput>;

/** What a request brings along, at the top (`github_token`) or in `credential`; null = nothing. Throws `invalid`. */
export function credentialFrom(input: {
  github_token?: string | undefined;
  credential?: CredentialInput | undefined;
}): SourceCredential | null {
  const { username, password, github_token } = input.credential ?? {};
  const token = github_token || input.github_token;
  for (const [field, value] of Object.entries({ token, username, password }))
    if (value && /[\0\r\n]/.test(value)) throw invalid(field, "cannot hold a line break");
  if (token) {
    if (username || password)
      throw invalid("credential", "is a token, or a user name with a password: not both");
    return { kind: "token", token };
  }
  if (!username && !password) return null;
  if (!username || !password)
    throw invalid(username ? "password" : "username", "is missing", "A user name comes with its password.");
  return { kind: "password", username, password };
}
