import type { Token } from "../../product/tokens/token.ts";
import type { Volume } from "../../product/volumes/volume.ts";
import { ago } from "../readable.ts";
import { table } from "../table.ts";
import type { View } from "./view-facts.ts";

export const volumeList: View<Volume[]> = (volumes, { now }) => {
  if (volumes.length === 0) return "No volumes. Keep a directory over releases: diplo storage:add /data\n";
  return table<Volume>(
    [
      { title: "VOLUME", cell: ({ name }) => name },
      {
        title: "MOUNTED AT",
        cell: ({ mount_path, read_only }) => `${mount_path}${read_only ? " (read-only)" : ""}`,
      },
      { title: "PROCESS", cell: ({ process }) => (process === "*" ? "all" : process) },
      { title: "SINCE", cell: ({ created_at }) => ago(created_at, now) },
    ],
    volumes,
  );
};

export const volumeAdded: View<{ volume: Volume }> = ({ volume }) =>
  `${volume.mount_path} is kept in volume ${volume.name}.\n`;

export const domainList: View<{ kind: string; url: string }[]> = (domains) => {
  if (domains.length === 0) return "No addresses.\n";
  return table(
    [
      { title: "BY", cell: ({ kind }) => (kind === "host" ? "name" : "port") },
      { title: "ADDRESS", cell: ({ url }) => url },
    ],
    domains,
  );
};

export const destroyed: View<{ kept_volumes: string[] }> = ({ kept_volumes }) =>
  kept_volumes.length === 0 ? "" : `Volumes kept: ${kept_volumes.join(", ")}\n`;

export const tokenList: View<Token[]> = (tokens, { now }) => {
  if (tokens.length === 0) return "No tokens. Make one: diplo tokens:create NAME --scopes read,deploy\n";
  return table<Token>(
    [
      { title: "ID", cell: ({ id }) => id },
      { title: "NAME", cell: ({ name }) => name },
      { title: "BEGINS", cell: ({ prefix }) => prefix },
      { title: "USED", cell: ({ last_used_at }) => (last_used_at ? ago(last_used_at, now) : "never") },
      { title: "ENDS", cell: ({ expires_at }) => expires_at?.slice(0, 10) ?? "never" },
      { title: "MAY", cell: ({ permissions }) => permissions.join(" ") },
    ],
    tokens,
  );
};

/** The token alone on stdout's first line, so that `$(…)` and a pipe get it. */
export const tokenMade: View<{ token: string; name: string; permissions: string[] }> = ({
  token,
  name,
  permissions,
}) => `${token}\n\nToken "${name}" may: ${permissions.join(", ")}. It is shown only now; keep it safe.\n`;

export const loginLink: View<{ url: string; urls: string[]; expires_at: string }> = (
  { url, urls, expires_at },
  { now },
) => {
  const minutes = Math.max(1, Math.round((Date.parse(expires_at) - now) / 60_000));
  const others = urls.filter((other) => other !== url);
  const also = others.length > 0 ? `or:\n${others.map((other) => `${other}\n`).join("")}` : "";
  return `${url}\n${also}Good once, for ${minutes} minutes.\n`;
};
