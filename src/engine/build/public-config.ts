/**
 * Prefixes by which frameworks mark a variable as part of the page that everybody gets: Next, Nuxt, Vite, SvelteKit
 * and Astro, Create React App, Vue CLI, Gatsby, Expo. Such a value is no secret, and it has to be there when the
 * page is built.
 */
const PREFIXES = [
  "NEXT_PUBLIC_",
  "NUXT_PUBLIC_",
  "VITE_",
  "PUBLIC_",
  "REACT_APP_",
  "VUE_APP_",
  "GATSBY_",
  "EXPO_PUBLIC_",
];

/** Whether a config variable is meant for the built page, by its name. */
export function isPublicName(name: string): boolean {
  return PREFIXES.some((prefix) => name.startsWith(prefix) && name.length > prefix.length);
}
