import { expect, test } from "bun:test";
import { plain } from "../../src/cli/colour.ts";
import { isOver, plainLines, progressLine } from "../../src/cli/progress.ts";
import { deployment } from "./samples.ts";

const now = Date.parse("2026-01-31T12:00:14Z");
const building = deployment({
  status: "building",
  steps: { fetching: ["done", 400], planning: ["done", 20], building: ["running", "12:00:02"] },
});
const line = (columns: number, lastLine = "npm ci") =>
  progressLine({ deployment: building, lastLine, now, columns, paint: plain });

test("progressLine shows phases, elapsed time and the build's last line", () => {
  expect(line(100)).toBe("14s  fetching ✓ 0.4s · planning ✓ 0.0s · building 12s │ npm ci");
});

test("progressLine is never wider than the terminal and gives up the oldest phases first", () => {
  expect(line(40)).toBe("14s  … · planning ✓ 0.0s · building 12s");
  expect(line(26)).toBe("14s  … · building 12s");
  for (let columns = 8; columns < 120; columns++)
    expect(Bun.stringWidth(line(columns, "日本語 ".repeat(30)))).toBeLessThanOrEqual(columns);
});

test("progressLine lets no escape sequence of a build through", () => {
  expect(line(100, "\x1b[2J\x1b[31mred\x1b[0m\x07")).toEndWith("│ red");
});

test("plainLines tells each phase's beginning and end once", () => {
  const fetching = deployment({ status: "building", steps: { fetching: ["running", "12:00:00"] } });
  const live = deployment({
    status: "success",
    steps: { fetching: ["done", 400], planning: ["done", 20], building: ["done", 12_000] },
  });
  expect(plainLines(null, deployment({ status: "queued" }))).toEqual(["queued"]);
  expect(plainLines(null, fetching)).toEqual(["fetching"]);
  expect(plainLines(fetching, fetching)).toEqual([]);
  expect(plainLines(fetching, live)).toEqual([
    "fetching done in 0.4s",
    "planning done in 0.0s",
    "building done in 12s",
  ]);
});

test("plainLines says which phase failed", () => {
  const failed = deployment({
    status: "failed",
    steps: { fetching: ["done", 400], building: ["failed", 3000] },
  });
  expect(plainLines(building, failed)).toEqual(["building failed after 3.0s"]);
});

test("isOver is true for every end and no other state", () => {
  const over = (
    ["queued", "building", "deploying", "success", "failed", "cancelled", "superseded"] as const
  ).filter((status) => isOver(deployment({ status })));
  expect(over).toEqual(["success", "failed", "cancelled", "superseded"]);
});
