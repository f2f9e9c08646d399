import { expect, test } from "bun:test";
import { jsonMistake } from "../../../src/engine/build/json-place.ts";

test.each([
  ['{"a":1,\n "b": }', 2, 7],
  ['{"a":1', 1, 7],
  ['{\n  "a": 1,\n}', 3, 1],
  ["[1,\n2 3]", 2, 3],
  ['{"a": tru}', 1, 7],
  ['// x\n{"a":1}', 1, 1],
  ["{'a': 1}", 1, 2],
  ['{"a" 1}', 1, 6],
  ['{"a": [1, {"b": 2]}', 1, 18],
  ['{"a": "x\ny"}', 1, 7],
  ['{"a": 01}', 1, 7],
  ["{} {}", 1, 4],
  ["", 1, 1],
  ["[,]", 1, 2],
])("jsonMistake points at the first character of %j that is none of JSON", (text, line, column) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(jsonMistake(text)).toEqual({ line, column });
});

test.each(['{"a": [1, -2.5e3, true, null, {"b": "\\u00e4\\n"}], "c": {}}', " [] ", '"x"', "0"])(
  "jsonMistake finds none in %s",
  (text) => {
    JSON.parse(text);
    expect(jsonMistake(text)).toBeNull();
  },
);
