import { escapeHtml } from "@kitajs/html";
import { Copyable } from "../components/copyable.tsx";
import { safeHref } from "../components/escape.ts";
import { ActionButton } from "../components/form.tsx";
import { firstLine, shortCommit } from "../components/format.ts";
import { TimeAgo } from "../components/time-ago.tsx";

export interface CurrentReleaseView {
  status: string;
  urls: string[];
  release: number | null;
  commit: string | null;
  commit_message: string | null;
  deployed_at: string | null;
  deployed_by: string | null;
}

/** What serves, since when, where, and what can be done with it. */
export function CurrentRelease({ app, now, path }: { app: CurrentReleaseView; now: number; path: string }) {
  return (
    <section aria-labelledby="release-title">
      <h2 id="release-title">Release</h2>
      {app.release === null ? (
        <p class="faint">Nothing has gone live yet.</p>
      ) : (
        <dl class="facts">
          <dt>Version</dt>
          <dd class="num" safe>{`v${app.release}`}</dd>
          {app.commit ? (
            <>
              <dt>Commit</dt>
              <dd>
                <Copyable value={app.commit} show={shortCommit(app.commit)} label="the commit" />{" "}
                {escapeHtml(firstLine(app.commit_message ?? ""))}
              </dd>
            </>
          ) : null}
          {app.deployed_at ? (
            <>
              <dt>Live since</dt>
              <dd>
                <TimeAgo at={app.deployed_at} now={now} />
                {app.deployed_by ? <span safe>{` by ${app.deployed_by}`}</span> : null}
              </dd>
            </>
          ) : null}
        </dl>
      )}
      {app.release === null ? null : <Addresses urls={app.urls} />}
      <div class="actions">
        <Actions app={app} path={path} />
      </div>
    </section>
  );
}

/** What can be done with the app now; without a release there is nothing to restart or stop. */
function Actions({ app, path }: { app: CurrentReleaseView; path: string }) {
  if (app.status === "stopped") {
    return <ActionButton action={`${path}/start`} text="Start" busy="Starting…" kind="primary" />;
  }
  return (
    <>
      <ActionButton action={`${path}/deploy`} text="Deploy again" busy="Starting…" kind="primary" />
      {app.release === null ? null : (
        <>
          <ActionButton action={`${path}/restart`} text="Restart" busy="Restarting…" />
          <ActionButton action={`${path}/stop`} text="Stop" busy="Stopping…" />
        </>
      )}
    </>
  );
}

function Addresses({ urls }: { urls: string[] }) {
  return (
    <ul class="addresses" aria-label="Addresses">
      {urls.map((url) => (
        <li>
          <a href={safeHref(url)} rel="noopener" target="_blank" safe>
            {url}
          </a>
          <Copyable value={url} show="" label="the address" />
        </li>
      ))}
    </ul>
  );
}
