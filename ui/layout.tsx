import type { Children } from "@kitajs/html";
import { attribute } from "./components/escape.ts";
import { Icon, type IconName, IconSprite } from "./components/icon.tsx";
import { FindDialog, KeysDialog } from "./partials/dialogs.tsx";

/** Addresses of the static files; each holds the hash of its content. */
export interface AssetUrls {
  stylesheet: string;
  script: string;
  /** Runs before anything is painted. */
  theme: string;
  favicon: string;
}

export type Section = "apps" | "new" | "jobs" | "box" | null;

export interface LayoutProps {
  title: string;
  section: Section;
  assets: AssetUrls;
  /** Who is signed in; null on the way in: no rail then. */
  actor: string | null;
  children: Children;
}

export function Layout({ title, section, assets, actor, children }: LayoutProps): string {
  const html = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="same-origin" />
        <meta name="htmx-config" content={htmxConfig} />
        <title safe>{`${title} · Diplo`}</title>
        <script src={assets.theme}></script>
        <link rel="stylesheet" href={assets.stylesheet} />
        <link rel="icon" type="image/svg+xml" href={assets.favicon} />
        <script src={assets.script} defer></script>
      </head>
      <body class={actor === null ? "outside" : "inside"}>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <IconSprite />
        {actor === null ? null : <Rail section={section} actor={actor} />}
        <main id="main" tabindex="-1">
          {children as "safe"}
        </main>
        {actor === null ? null : <FindDialog />}
        {actor === null ? null : <KeysDialog />}
        <div id="toast" role="status" aria-live="polite"></div>
      </body>
    </html>
  ) as string;
  return `<!doctype html>${html}`;
}

/** Opened `<details>` stay open when a part of the page is renewed. */
const htmxConfig = attribute('{"morphIgnore":["data-htmx-powered","open"],"history":false}');

const places: { section: Section; href: string; icon: IconName; text: string }[] = [
  { section: "apps", href: "/", icon: "apps", text: "Apps" },
  { section: "new", href: "/apps/new", icon: "deploy", text: "Deploy" },
  { section: "jobs", href: "/jobs", icon: "jobs", text: "Jobs" },
  { section: "box", href: "/box", icon: "box", text: "Box" },
];

function Rail({ section, actor }: { section: Section; actor: string }) {
  return (
    <nav class="rail" aria-label="Main">
      <a class="brand" href="/">
        <Icon name="mark" />
        <span>Diplo</span>
      </a>
      <ul>
        {places.map((place) => (
          <li>
            <a href={place.href} aria-current={place.section === section ? "page" : undefined}>
              <Icon name={place.icon} />
              <span safe>{place.text}</span>
            </a>
          </li>
        ))}
        <li>
          <a href="/search" data-open="find" title="Find (press /)">
            <Icon name="find" />
            <span>Find</span>
            <kbd>/</kbd>
          </a>
        </li>
      </ul>
      <div class="rail-end">
        <button type="button" class="plain" data-theme-switch="">
          <Icon name="theme" />
          <span class="away">Theme: </span>
          <span data-theme-word="">Auto</span>
        </button>
        <form method="post" action="/logout">
          <button type="submit" class="plain" title={attribute(`Signed in as ${actor}`)}>
            <Icon name="leave" />
            <span>Sign out</span>
          </button>
        </form>
      </div>
    </nav>
  );
}
