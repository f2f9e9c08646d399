import type { FieldErrors } from "../../ui/components/field.tsx";
import { type FoundView, NewAppPage, type NewAppView } from "../../ui/pages/new-app.tsx";
import { DiploError } from "../errors.ts";
import { parseDotenv } from "../product/config/dotenv.ts";
import { deploy } from "../product/deployments/operations.ts";
import { look } from "../product/sources/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { deploymentIdOf } from "./deployment-id.ts";
import { filled, readForm } from "./form-body.ts";
import { answerPage, goTo } from "./page.ts";
import { perform, signedIn } from "./perform.ts";
import { refusalOf } from "./refusal.ts";

const empty: NewAppView = {
  repoUrl: "",
  found: null,
  name: "",
  branch: "",
  extra: "",
  errors: {},
  failure: null,
  mayReplace: false,
};

function show(call: RouteCall, view: Partial<NewAppView>, status = 200): Response {
  const body = <NewAppPage {...empty} {...view} />;
  return answerPage(call.request, signedIn(call), { title: "Deploy", section: "new", body, status });
}

/** A shared link may name the repository; looking at it takes a click, since it makes the box fetch something. */
const start = (call: RouteCall) => show(call, { repoUrl: call.query.get("repo_url") ?? "" });

async function lookAt(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const repoUrl = filled(form, "repo_url") ?? "";
  try {
    const found = await perform(look, { repo_url: repoUrl, branch: filled(form, "branch") }, call);
    return show(call, { repoUrl, found, name: found.suggested_name, branch: found.branch ?? "" });
  } catch (error) {
    const { errors, failure, status } = refusalOf(error, ["repo_url"]);
    return show(call, { repoUrl, errors, failure }, status);
  }
}

async function deployIt(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  try {
    const answer = await perform(deploy, { ...requestOf(form), wait: false }, call);
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
  const refusal = refusalOf(error, ["repo_url", "name", "branch", "dotenv"]);
  const repoUrl = filled(form, "repo_url") ?? "";
  const view = {
    ...refusal,
    repoUrl,
    errors: byFormField(refusal.errors),
    found: await foundAgain(call, form, repoUrl),
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
async function foundAgain(call: RouteCall, form: Map<string, string>, repoUrl: string): Promise<FoundView> {
  const typed = [...form]
    .filter(([name]) => name.startsWith("env:"))
    .map(([name, value]) => ({ name: name.slice(4), value }));
  const bare = { repo_url: repoUrl, commit: null, branches: [], provider: "", findings: [], warnings: [] };
  const found = await perform(look, { repo_url: repoUrl, branch: filled(form, "branch") }, call).catch(
    () => null,
  );
  const config = found?.config ?? typed.map((each) => ({ ...each, description: "", required: false }));
  const value = (name: string, otherwise: string) =>
    typed.find((each) => each.name === name)?.value ?? otherwise;
  return {
    ...bare,
    ...found,
    config: config.map((each) => ({ ...each, value: value(each.name, each.value) })),
  };
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
    path: "/apps/new",
    permission: "deploy",
    reason: "form: deploys it",
    page: true,
    handle: deployIt,
  },
];
