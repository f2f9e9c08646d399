// Files that Bun hands over as text.
declare module "*.css" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: how Bun's text imports come
  export default text;
}
declare module "*.client.js" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: how Bun's text imports come
  export default text;
}
declare module "htmx.org/dist/htmx.min.js" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: how Bun's text imports come
  export default text;
}
