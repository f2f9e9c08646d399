declare module "*.sql" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: how text imports arrive
  export default text;
}
