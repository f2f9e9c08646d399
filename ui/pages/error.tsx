export interface ErrorView {
  status: number;
  title: string;
  detail: string;
  hint: string | null;
}

/** 404, 403 and the rest: what happened, what to do, and a way on. */
export function ErrorPage({ status, title, detail, hint }: ErrorView) {
  return (
    <div id="page" class="errorpage">
      <p class="status num">{status}</p>
      <h1 safe>{title}</h1>
      {detail ? <p safe>{detail}</p> : null}
      {hint ? (
        <p class="hint" safe>
          {hint}
        </p>
      ) : null}
      <p>
        <a href="/">All apps</a>
      </p>
    </div>
  );
}
