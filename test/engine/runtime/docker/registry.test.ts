import { expect, test } from "bun:test";
import { authHeader } from "../../../../src/engine/runtime/docker/registry.ts";

test("authHeader is padded base64 of the URL alphabet, whatever the lengths", () => {
  for (const password of ["p", "pa", "pas", "~~~???>>>é"]) {
    const text = authHeader({ server: "ghcr.io", username: "you", password })["X-Registry-Auth"] ?? "";
    expect(text).toMatch(/^[A-Za-z0-9_-]+={0,2}$/);
    expect(text.length % 4).toBe(0);
    expect(JSON.parse(Buffer.from(text, "base64url").toString())).toEqual({
      username: "you",
      password,
      serveraddress: "ghcr.io",
    });
  }
  expect(authHeader(null)).toEqual({});
});
