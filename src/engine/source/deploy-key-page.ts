/** Where a forge takes deploy keys of a repository, by the host's name. */
const PAGES: [host: RegExp, page: string][] = [
  [/(^|\.)github\./, "settings/keys/new"],
  [/(^|\.)gitlab\./, "-/settings/repository"],
  [/(^|\.)bitbucket\./, "admin/access-keys/"],
  [/(^|\.)(gitea|forgejo|codeberg)\./, "settings/keys"],
];

/** The page for a repository's deploy keys on a forge we know by its host's name; null elsewhere. */
export function deployKeyPage(repo_url: string): string | null {
  if (!repo_url.startsWith("ssh://")) return null;
  const { hostname, pathname } = new URL(repo_url);
  const page = PAGES.find(([host]) => host.test(hostname))?.[1];
  const repository = pathname.replace(/\.git$/, "");
  return page === undefined || repository.split("/").length !== 3
    ? null
    : `https://${hostname}${repository}/${page}`;
}
