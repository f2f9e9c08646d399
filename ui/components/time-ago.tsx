import { formatAgo } from "./format.ts";

/** `3 min ago`, with the exact time on hover. The browser keeps it fresh (time.client.js). */
export function TimeAgo({ at, now }: { at: string; now: number }) {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return <span>unknown</span>;
  const exact = moment.toISOString();
  return (
    <time datetime={exact} title={`${exact.slice(0, 19).replace("T", " ")} UTC`} data-ago="" safe>
      {formatAgo(moment.getTime(), now)}
    </time>
  );
}
