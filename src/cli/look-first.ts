import type { Detected } from "../product/sources/detect.ts";
import { BoxError } from "./box-error.ts";
import type { CliContext } from "./cli-context.ts";
import { pathSegment } from "./operation-request.ts";
import { pairs, safe } from "./table.ts";

/** What a deployment is asked with; looking adds to it what the person says. */
export interface DeployRequest {
  [field: string]: unknown;
  name?: string;
  repo_url?: string;
  env_vars?: { name: string; value: string }[];
}

/**
 * Before a first deployment, on a terminal: what the repository would become, and the config it asks for. The host's
 * own questions come first: a deploy key to add, a token to give.
 */
export async function lookFirst(request: DeployRequest, name: string, context: CliContext): Promise<void> {
  const overSsh =
    /^ssh:\/\//.test(request.repo_url ?? "") || /^[\w.-]+@[\w.-]+:/.test(request.repo_url ?? "");
  const key = overSsh ? await deployKey(name, context) : null;
  for (;;) {
    try {
      const { repo_url, branch, tag, commit, subdirectory, github_token, credential } = request;
      const asked = { repo_url, branch, tag, commit, subdirectory, github_token, credential };
      const json = { ...asked, ...(key && { app: name }) };
      const found = await context.box.json<Detected>({ method: "POST", path: "/sources/look", json });
      return await askConfig(request, found, context);
    } catch (error) {
      if (!(error instanceof BoxError) || error.code !== "auth_failed") throw error;
      if (request.github_token || request.credential || !(await openUp(request, key, error, context)))
        throw error;
    }
  }
}

/** Shows what was found and asks for config that was not given; the answers join the request. */
export async function askConfig(request: DeployRequest, found: Detected, context: CliContext): Promise<void> {
  const { io, paintErr } = context;
  const told = (value: string, from: string) => `${value}  ${paintErr("dim", `(${safe(from)})`)}`;
  io.err(pairs(found.findings.map(({ label, value, from }) => [safe(label), told(value, from)])));
  for (const warning of found.warnings) io.err(`note: ${safe(warning)}\n`);
  const given = new Set(request.env_vars?.map((each) => each.name));
  const missing = found.config.filter(({ name }) => !given.has(name));
  if (missing.length > 0) io.err("\nIts config; Enter takes what stands in brackets, or leaves it out.\n");
  const answers = [];
  for (const each of missing) answers.push(...(await askFor(each, context)));
  if (answers.length > 0) request.env_vars = [...(request.env_vars ?? []), ...answers];
}

async function askFor(wanted: Detected["config"][number], { io, paintErr }: CliContext) {
  const { name, value, description, required, secret, generated } = wanted;
  const otherwise = generated ? " [a random one]" : value ? ` [${safe(value)}]` : required ? "" : " []";
  if (description) io.err(`${paintErr("dim", `# ${safe(description)}`)}\n`);
  const typed = await io.ask(`${safe(name)}${otherwise}: `, secret);
  if (typed !== "") return [{ name, value: typed }];
  // Left to the box: it makes the random ones, and takes defaults from the repository.
  return value && !generated ? [{ name, value }] : [];
}

interface Key {
  public_key: string;
  fingerprint: string;
}

/** The app is made for its key; whoever may not make one is told of the key by the deployment that fails. */
async function deployKey(name: string, { box }: CliContext): Promise<Key | null> {
  try {
    await box.json({ method: "POST", path: "/apps", json: { name } }).catch((error) => {
      if (!(error instanceof BoxError) || error.code !== "app_exists") throw error;
    });
    return await box.json<Key>({ method: "POST", path: `/apps/${pathSegment(name)}/deploy-key`, json: {} });
  } catch (error) {
    if (error instanceof BoxError && error.status === 403) return null;
    throw error;
  }
}

/** Asks for what opens the repository. Answers false when the person has nothing to give. */
async function openUp(
  request: DeployRequest,
  key: Key | null,
  error: BoxError,
  { io }: CliContext,
): Promise<boolean> {
  io.err(`${safe(error.detail)}\n`);
  if (key) {
    io.err(`${safe(error.hint ?? "")}\n`);
    return (await io.ask("Enter when it is there; anything else stops: ")) === "";
  }
  const token = await io.ask("A token that may read it (Enter stops): ", true);
  if (token.trim() === "") return false;
  request.github_token = token.trim();
  return true;
}
