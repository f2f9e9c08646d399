import { escapeHtml } from "@kitajs/html";
import { ErrorPage } from "../../ui/pages/error.tsx";
import { answerPage, answerPart, goTo, wantsPart } from "./page.ts";

/** What a page tells of an error; the API's problem document fits. */
export interface PageProblem {
  status: number;
  title: string;
  detail: string;
  hint?: string;
}

const titles: Record<number, string> = {
  400: "This address makes no sense",
  403: "This is not allowed",
  404: "There is nothing here",
  405: "This address takes no such request",
  409: "Not now",
  413: "Too much at once",
  429: "Too many tries",
  500: "Something broke inside Diplo",
  502: "The engine does not answer",
  503: "Not ready",
};

/**
 * An error as a person sees it: signed out leads to the sign-in, a part of a page gets a line that disappears again,
 * everything else is a page.
 */
export function errorPage(problem: PageProblem, request: Request): Response {
  if (problem.status === 401) return goTo(request, "/login");
  const words = [problem.detail, problem.hint].filter(Boolean).join(" ");
  if (wantsPart(request)) {
    const line = `<p>${escapeHtml(words)}</p>`;
    return answerPart(line, { "hx-retarget": "#toast", "hx-reswap": "innerHTML" }, problem.status);
  }
  const title = titles[problem.status] ?? problem.title;
  const view = { status: problem.status, title, detail: problem.detail, hint: problem.hint ?? null };
  return answerPage(
    request,
    { name: "you" },
    { title, section: null, body: <ErrorPage {...view} />, status: problem.status },
  );
}
