import { NewImagePage, type NewImageView } from "../../ui/pages/new-image.tsx";
import { DiploError } from "../errors.ts";
import { deploy } from "../product/deployments/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { deploymentIdOf } from "./deployment-id.ts";
import { filled, readForm } from "./form-body.ts";
import { answerPage, goTo } from "./page.ts";
import { perform, signedIn } from "./perform.ts";
import { refusalOf } from "./refusal.ts";

const empty: NewImageView = { image: "", name: "", port: "", errors: {}, mayReplace: false, failure: null };

function show(call: RouteCall, view: Partial<NewImageView>, status = 200): Response {
  const body = <NewImagePage {...empty} {...view} />;
  return answerPage(call.request, signedIn(call), { title: "Deploy an image", section: "new", body, status });
}

async function deployIt(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const input = {
    image: filled(form, "image") ?? "",
    name: filled(form, "name"),
    port: filled(form, "port"),
    replace_source: form.get("replace_source") === "1" || undefined,
    wait: false,
  };
  try {
    const answer = await perform(deploy, input, call);
    return goTo(call.request, `/deployments/${encodeURIComponent(deploymentIdOf(answer))}`);
  } catch (error) {
    const { errors, failure, status } = refusalOf(error, ["image", "name", "port"]);
    const mayReplace = error instanceof DiploError && error.code === "app_source_differs";
    const typed = { image: input.image, name: input.name ?? "", port: input.port ?? "" };
    return show(call, { ...typed, errors, failure, mayReplace }, status);
  }
}

export const newImageRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/new/image",
    permission: "deploy",
    reason: "page: the form for an app from an image",
    page: true,
    handle: (call) => show(call, { image: call.query.get("image") ?? "" }),
  },
  {
    method: "POST",
    path: "/apps/new/image",
    permission: "deploy",
    reason: "form: deploys an image",
    page: true,
    handle: deployIt,
  },
];
