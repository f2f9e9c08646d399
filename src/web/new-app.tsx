import type { FieldErrors } from "../../ui/components/field.tsx";
import { type FoundView, NewAppPage, type NewAppView } from "../../ui/pages/new-app.tsx";
import { deployKeyPage } from "../engine/source/deploy-key-page.ts";
import { parseRepoUrl } from "../engine/source/repo-url.ts";
import { DiploError } from "../errors.ts";
import { suggestName } from "../product/apps/app-name.ts";
import { create } from "../product/apps/operations.ts";
import { parseDotenv } from "../product/config/dotenv.ts";
import { deploy } from "../product/deployments/operations.ts";
import { createDeployKey, deployKey, look } from "../product/sources/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { deploymentIdOf } from "./deployment-id.ts";
import { filled, readForm } from "./form-body.ts";
import { answerPage, goTo } from "./page.ts";
import { perform, performOrNull, signedIn } from "./perform.ts";
import { refusalOf } from "./refusal.ts";
import { openField, sealField } from "./sealed-field.ts";

const empty: NewAppView = {
  repoUrl: "",
  found: null,
  deployKey: null,
  sealed: null,
  sealedFor: null,
  username: "",
  name: "",
  branch: "",
  extra: "",
  errors: {},
  failure: null,
  mayReplace: false,
};

const FIELDS = ["repo_url", "name", "branch", "dotenv", "github_token", "token", "username", "password"];

function show(call: RouteCall, view: Partial<NewAppView>, status = 200): Response {
  const body = <NewAppPage {...empty} {...view} />;
  return answerPage(call.request, signedIn(call), { title: "Deploy", section: "new", body, status });
}

/** A shared link may name the repository; looking at it takes a click, since it makes the box fetch something. */
const start = (call: RouteCall) => show(call, { repoUrl: call.query.get("repo_url") ?? "" });

async function lookAt(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const repoUrl = filled(form, "repo_url") ?? "";
  const app = filled(form, "app");
  if (app === undefined && isSsh(repoUrl))
    return show(call, { repoUrl, deployKey: { app: suggestName(repoUrl), made: null } });
  const credential = await credentialOf(call, form);
  const base = { repoUrl, deployKey: await keyOf(call, app), username: filled(form, "username") ?? "" };
  try {
    const asked = { repo_url: repoUrl, branch: filled(form, "branch"), app, credential: credential.given };
    const found = await perform(look, asked, call);
    const view = { found, name: app ?? found.suggested_name, branch: found.branch ?? "" };
    return show(call, { ...base, ...(await credential.view()), ...view });
  } catch (error) {
    const { errors, failure, status } = refusalOf(error, FIELDS);
    return show(call, { ...base, errors, failure }, status);
  }
}

/** The host must know the key before anything can be looked at, so the app is made for it first. */
async function makeKey(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const repoUrl = filled(form, "repo_url") ?? "";
  const name = filled(form, "name") ?? "";
  try {
    await perform(create, { name }, call).catch((error) => {
      if (!(error instanceof DiploError) || error.code !== "app_exists") throw error;
    });
    await perform(createDeployKey, { app: name }, call);
    return show(call, { repoUrl, deployKey: await keyOf(call, name, repoUrl) });
  } catch (error) {
    const { errors, failure, status } = refusalOf(error, FIELDS);
    return show(call, { repoUrl, deployKey: { app: name, made: null }, errors, failure }, status);
  }
}

async function deployIt(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  try {
    const { given } = await credentialOf(call, form);
    const answer = await perform(deploy, { ...requestOf(form), credential: given, wait: false }, call);
    return goTo(call.request, `/deployments/${encodeURIComponent(deploymentIdOf(answer))}`);
  } catch (error) {
    return refused(call, form, error);
  }
}

/** The form's own fields as the operation's input. Throws `invalid` for .env text that cannot be read. */
function requestOf(form: Map<string, string>) {
  const vars = new Map<string, string>();
  for (const [name, value] of form)
    if (name.startsWith("env:") && value !== "") vars.set(name.slice(4), value);
  for (const [name, value] of parseDotenv(form.get("extra") ?? "")) vars.set(name, value);
  return {
    repo_url: filled(form, "repo_url"),
    name: filled(form, "name"),
    branch: filled(form, "branch"),
    replace_source: form.get("replace_source") === "1" || undefined,
    env_vars: [...vars].map(([name, value]) => ({ name, value })),
  };
}

async function refused(call: RouteCall, form: Map<string, string>, error: unknown): Promise<Response> {
  const refusal = refusalOf(error, FIELDS);
  const repoUrl = filled(form, "repo_url") ?? "";
  const credential = await credentialOf(call, form);
  const view = {
    ...refusal,
    ...(await credential.view()),
    repoUrl,
    deployKey: await keyOf(call, filled(form, "app"), repoUrl),
    errors: byFormField(refusal.errors),
    found: await foundAgain(call, form, credential.given),
    name: form.get("name") ?? "",
    branch: form.get("branch") ?? "",
    extra: form.get("extra") ?? "",
    mayReplace: error instanceof DiploError && error.code === "app_source_differs",
  };
  return show(call, view, refusal.status);
}

const byFormField = ({ dotenv, ...errors }: FieldErrors): FieldErrors =>
  dotenv ? { ...errors, extra: dotenv } : errors;

/** What the look found, with what was typed since; without it the fields alone, so that nothing typed is lost. */
async function foundAgain(
  call: RouteCall,
  form: Map<string, string>,
  credential: Given | undefined,
): Promise<FoundView> {
  const typed = [...form]
    .filter(([name]) => name.startsWith("env:"))
    .map(([name, value]) => ({ name: name.slice(4), value }));
  const repo_url = filled(form, "repo_url") ?? "";
  const bare = { repo_url, commit: null, branches: [], provider: "", findings: [], warnings: [] };
  const asked = { repo_url, branch: filled(form, "branch"), app: filled(form, "app"), credential };
  const found = await perform(look, asked, call).catch(() => null);
  const config = found?.config ?? typed.map((each) => ({ ...unknownVar, ...each }));
  const value = (name: string, otherwise: string) =>
    typed.find((each) => each.name === name)?.value ?? otherwise;
  return {
    ...bare,
    ...found,
    config: config.map((each) => ({ ...each, value: value(each.name, each.value) })),
  };
}

const unknownVar = {
  description: "",
  required: false,
  secret: true,
  generated: false,
  pattern: null,
  from: "this form",
};

interface Given {
  github_token?: string;
  username?: string;
  password?: string;
}

/** What was typed now, else what an earlier step of the form sealed; and how the next page brings it along. */
async function credentialOf(call: RouteCall, form: Map<string, string>) {
  const [github_token, username, password] = ["github_token", "username", "password"].map((name) =>
    filled(form, name),
  );
  const typed: Given = {
    ...(github_token && { github_token }),
    ...(username && { username }),
    ...(password && { password }),
  };
  const isTyped = Object.keys(typed).length > 0;
  const given = isTyped ? typed : await openField<Given>(call, filled(form, "sealed_credential"));
  return {
    given: given ?? undefined,
    async view() {
      if (!given) return {};
      return { sealed: await sealField(call, given), sealedFor: hostIn(filled(form, "repo_url") ?? "") };
    },
  };
}

/** The key of the app that the form is about; null while it is about none. */
async function keyOf(
  call: RouteCall,
  app: string | undefined,
  repoUrl = "",
): Promise<NewAppView["deployKey"]> {
  if (app === undefined) return null;
  const made = await performOrNull(deployKey, { app }, call);
  return { app, made: made && { ...made, add_at: made.add_at ?? pageFor(repoUrl) } };
}

const isSsh = (text: string): boolean => (addressIn(text) ?? "").startsWith("ssh://");
const pageFor = (text: string): string | null => deployKeyPage(addressIn(text) ?? "");

function hostIn(text: string): string | null {
  const address = addressIn(text);
  return address !== null && URL.canParse(address) ? new URL(address).host : null;
}

/** null for what is no address: the operation says what is wrong with it. */
function addressIn(text: string): string | null {
  try {
    return parseRepoUrl(text).spec.repo_url;
  } catch {
    return null;
  }
}

export const newAppRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/new",
    permission: "deploy",
    reason: "page: the form for a new app",
    page: true,
    handle: start,
  },
  {
    method: "POST",
    path: "/apps/new/look",
    permission: "deploy",
    reason: "form: looks at the repository",
    page: true,
    handle: lookAt,
  },
  {
    method: "POST",
    path: "/apps/new/key",
    permission: "apps:write",
    reason: "form: makes the app's deploy key before it is deployed",
    page: true,
    handle: makeKey,
  },
  {
    method: "POST",
    path: "/apps/new",
    permission: "deploy",
    reason: "form: deploys it",
    page: true,
    handle: deployIt,
  },
];
