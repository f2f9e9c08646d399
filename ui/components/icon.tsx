/** Every drawing of the dashboard, 16 × 16, in the colour of the text around it. */
const drawings = {
  live: '<circle cx="8" cy="8" r="5" fill="currentColor" stroke="none"/>',
  working: '<circle cx="8" cy="8" r="5.5" opacity=".3"/><path d="M8 2.5a5.5 5.5 0 0 1 5.5 5.5"/>',
  waiting: '<circle cx="8" cy="8" r="5.5"/><path d="M8 5v3l2 1.5"/>',
  failed:
    '<path d="M8 2.2 14.4 13.5H1.6Z" fill="currentColor"/><path d="M8 6.4v3.2M8 11.4v.2" stroke="var(--paper)"/>',
  stopped: '<rect x="3.5" y="3.5" width="9" height="9" rx="1" fill="currentColor" stroke="none"/>',
  done: '<path d="m3 8.5 3.2 3.2L13 5"/>',
  skipped: '<path d="M4 8h8"/>',
  apps: '<rect x="2.5" y="2.5" width="4.5" height="4.5" rx="1"/><rect x="9" y="2.5" width="4.5" height="4.5" rx="1"/><rect x="2.5" y="9" width="4.5" height="4.5" rx="1"/><rect x="9" y="9" width="4.5" height="4.5" rx="1"/>',
  deploy: '<path d="M8 10.5v-8m-3 3 3-3 3 3M2.5 10.5v3h11v-3"/>',
  jobs: '<path d="M2.5 4h11M2.5 8h7M2.5 12h9"/>',
  box: '<rect x="2" y="3" width="12" height="10" rx="1.5"/><path d="M5 10.5h.1M8 10.5h3"/>',
  find: '<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/>',
  theme: '<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5a5.5 5.5 0 0 0 0 11Z" fill="currentColor"/>',
  leave: '<path d="M6 2.5H3v11h3M7 8h6.5m-2.5-2.5L13.5 8 11 10.5"/>',
  copy: '<rect x="5.5" y="5.5" width="8" height="8" rx="1"/><path d="M3.5 10.5h-1v-8h8v1"/>',
  out: '<path d="M9 2.5h4.5V7M13.5 2.5 8 8M6.5 3.5h-4v10h10v-4"/>',
  download: '<path d="M8 2.5v8m-3-3 3 3 3-3M2.5 13.5h11"/>',
  mark: '<path d="M2.5 13V3h4.8a5 5 0 0 1 0 10Z" fill="currentColor"/><path d="M11.5 3.4A5.6 5.6 0 0 1 14 8a5.6 5.6 0 0 1-2.5 4.6" />',
} as const;

export type IconName = keyof typeof drawings;

/** Stands once on each page; every Icon points into it. */
export function IconSprite() {
  const symbols = Object.entries(drawings)
    .map(([name, shape]) => `<symbol id="i-${name}" viewBox="0 0 16 16">${shape}</symbol>`)
    .join("");
  return `<svg class="sprite" aria-hidden="true">${symbols}</svg>`;
}

/** Says nothing to a screen reader: a word always stands beside it, or the control is labelled. */
export function Icon({ name }: { name: IconName }) {
  return `<svg class="icon i-${name}" aria-hidden="true"><use href="#i-${name}"/></svg>`;
}

/** The site's icon, drawn from the same mark. */
export const favicon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#4457d6" stroke-width="1.5" color="#4457d6" stroke-linecap="round">' +
  `${drawings.mark}</svg>`;
