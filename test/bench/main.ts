/** `npm run bench -- deploy|footprint|proxy|proxy-soak|site [arguments]`: figures, never part of the tests. */
const [bench = "", ...rest] = process.argv.slice(2);
const benches = ["deploy", "footprint", "proxy", "proxy-soak", "site"];
if (!benches.includes(bench)) {
  console.error(`Which one? ${benches.join(", ")}`);
  process.exit(2);
}
process.argv.splice(2, process.argv.length, ...rest);
await import(`./${bench}.ts`);

export {};
