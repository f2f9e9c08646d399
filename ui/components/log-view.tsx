import { ansiLine } from "./ansi.ts";
import { attribute } from "./escape.ts";
import { Icon } from "./icon.tsx";

export interface LogLineView {
  text: string;
  at?: string | null;
  /** Instance that wrote it; absent in a deployment's log. */
  instance?: string;
  stream?: "stdout" | "stderr";
}

/** Lines as HTML, also what the stream appends. */
export function logLines(lines: LogLineView[]): string {
  return lines.map(logLine).join("");
}

function logLine({ text, at, instance, stream }: LogLineView): string {
  const time = at ? `<time>${attribute(at.slice(11, 19))}</time> ` : "";
  const who = instance ? `<b>${attribute(instance)}</b> ` : "";
  const origin = instance ? ` data-instance="${attribute(instance)}"` : "";
  const kind = stream === "stderr" ? ' data-stderr=""' : "";
  return `<div class="l"${origin}${kind}>${time}${who}<span>${ansiLine(text) || " "}</span></div>`;
}

export interface LogViewProps {
  id: string;
  label: string;
  lines: LogLineView[];
  /** Where the rest comes from; null = this log has ended. */
  stream: string | null;
  /** What the stream's next line follows, as its Last-Event-ID. */
  after?: string | number;
  download: string;
  instances?: string[];
  emptyText: string;
}

/** A log that follows until a person scrolls, with search and download (log.client.js, stream.client.js). */
export function LogView({
  id,
  label,
  lines,
  stream,
  after,
  download,
  instances = [],
  emptyText,
}: LogViewProps) {
  return (
    <section class="logview" data-logview="" aria-label={attribute(label)}>
      <div class="logbar">
        <label class="away" for={`${id}-q`}>
          Find in the log
        </label>
        <input
          id={`${id}-q`}
          type="search"
          placeholder="Find in the log"
          data-log-find=""
          autocomplete="off"
        />
        {instances.length > 1 ? <InstanceFilter id={id} instances={instances} /> : null}
        <label class="check">
          <input type="checkbox" data-log-errors="" /> only errors
        </label>
        <span class="log-status" data-stream-status="" role="status">
          {stream ? "" : "complete"}
        </span>
        <a class="button quiet" href={attribute(download)} download="">
          <Icon name="download" /> Download
        </a>
      </div>
      <div
        id={id}
        class="log"
        role="log"
        tabindex="0"
        aria-label={attribute(label)}
        aria-live="off"
        data-log=""
        data-stream={stream ? attribute(stream) : undefined}
        data-after={attribute(after)}
        data-empty={attribute(emptyText)}
      >
        {logLines(lines) as "safe"}
      </div>
      <p class="away" role="status" data-stream-news=""></p>
      <button type="button" class="button follow" data-log-follow="" hidden>
        Follow
      </button>
    </section>
  );
}

function InstanceFilter({ id, instances }: { id: string; instances: string[] }) {
  return (
    <>
      <label class="away" for={`${id}-i`}>
        Instance
      </label>
      <select id={`${id}-i`} data-log-instance="">
        <option value="">all instances</option>
        {instances.map((instance) => (
          <option value={attribute(instance)} safe>
            {instance}
          </option>
        ))}
      </select>
    </>
  );
}
