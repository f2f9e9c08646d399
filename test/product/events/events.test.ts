import { expect, test } from "bun:test";
import { Events } from "../../../src/product/events/events.ts";
import { product } from "../../support/product.ts";

const told = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

test("Events tells what was committed, in order, and nothing that was rolled back", async () => {
  const { store } = await product();
  const events = new Events(store);
  const seen: string[] = [];
  using _subscription = events.subscribe((event) => seen.push(event.type));
  store.transaction(() => {
    events.emit("one", null, {});
    events.emit("two", null, {});
  });
  expect(() =>
    store.transaction(() => {
      events.emit("never", null, {});
      throw new Error("undone");
    }),
  ).toThrow("undone");
  await told();
  events.emit("three", "app", { n: 3 });
  await told();
  expect(seen).toEqual(["one", "two", "three"]);
  expect(events.since(0).map(({ type }) => type)).toEqual(["one", "two", "three"]);
  expect(events.since(events.lastSeq())).toEqual([]);
});

test("Events.forget removes what is older than a day", async () => {
  const { store } = await product();
  const events = new Events(store);
  events.emit("old", null, {});
  events.forget(Date.now() + 25 * 3600_000);
  expect(events.since(0)).toEqual([]);
});
