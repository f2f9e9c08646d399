import { describe, expect, test } from "bun:test";
import {
  buildTimeout,
  buildFailure as explained,
} from "../../../../src/engine/runtime/docker/build-failure.ts";
import { PermanentError } from "../../../../src/errors.ts";

const step = (name: string, error: string, tail: string[] = []) => ({
  error: `failed to solve: ${error}`,
  failed: { name, error, tail },
});

const buildFailure = (outcome: Parameters<typeof explained>[0]) =>
  explained(outcome, { engine: { os: "linux", architecture: "arm64" }, servers: ["registry.lan"] });

describe("buildFailure", () => {
  test("says step, exit code and last lines, in the words of old and new engines", () => {
    for (const words of [
      "executor failed running [/bin/sh -c npm ci]: exit code: 7",
      'process "/bin/sh -c npm ci" did not complete successfully: exit code: 7',
    ]) {
      const failure = buildFailure(step("[2/2] RUN npm ci", words, ["npm ERR! 404"]));
      expect(failure.code).toBe("build_failed");
      expect(failure).toBeInstanceOf(PermanentError);
      expect(failure.detail).toBe('The build step "[2/2] RUN npm ci" failed with exit code 7.');
      expect(failure.evidence).toEqual(["npm ERR! 404"]);
    }
  });

  test("a step that was killed is build_oom, one whose program merely exits 37 is not", () => {
    expect(buildFailure(step("[2/2] RUN x", "executor failed running [x]: exit code: 137")).code).toBe(
      "build_oom",
    );
    expect(buildFailure(step("[2/2] RUN x", "executor failed running [x]: exit code: 37")).code).toBe(
      "build_failed",
    );
    expect(
      buildFailure(step("[2/2] RUN x", "exit code: 1", ["fatal error: cannot allocate memory"])).code,
    ).toBe("build_failed");
  });

  test("a heap that is full is build_oom, whatever the exit code", () => {
    const tail = ["FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"];
    expect(buildFailure(step("[4/4] RUN npm run build", "exit code: 134", tail)).code).toBe("build_oom");
  });

  test("a full disk is disk_full, from the engine's words or the step's", () => {
    expect(
      buildFailure(step("[2/2] COPY . .", "failed to copy: write /x: no space left on device")).code,
    ).toBe("disk_full");
    expect(
      buildFailure(step("[2/2] RUN npm ci", "exit code: 228", ["npm ERR! ENOSPC: no space left"])).code,
    ).toBe("disk_full");
  });

  test("a base image that does not exist is image_not_found for good", () => {
    const words = [
      "pull access denied, repository does not exist or may require authorization",
      "docker.io/library/nosuch:1: not found",
      "failed to resolve source metadata for docker.io/library/node:99: docker.io/library/node:99: not found",
      "manifest unknown: manifest unknown",
    ];
    for (const error of words) {
      const failure = buildFailure(step("[internal] load metadata for docker.io/library/nosuch:1", error));
      expect(failure.code).toBe("image_not_found");
      expect(failure).toBeInstanceOf(PermanentError);
      expect(failure.detail).toContain("docker.io/library/nosuch:1");
    }
  });

  test("a base image that its registry gives to nobody like us is auth_failed", () => {
    const words = "pulling from host ghcr.io failed with status code [manifests 1]: 401 Unauthorized";
    const failure = buildFailure(step("[internal] load metadata for ghcr.io/you/base:1", words));
    expect({ code: failure.code, hint: failure.hint }).toEqual({
      code: "auth_failed",
      hint: "Let the box sign in there: diplo registries:add ghcr.io USER --password -",
    });
  });

  test("credentials that the registry of a base image refuses are what is to be checked", () => {
    const words = "pulling from host registry.lan failed with status code [manifests 1]: 401 Unauthorized";
    const failure = buildFailure(step("[internal] load metadata for registry.lan/you/base:1", words));
    expect(failure.hint).toBe("Check them: diplo registries:test registry.lan");
  });

  test("a base image for other machines is arch_mismatch, found at FROM or by the first program that runs", () => {
    const load = "[internal] load metadata for docker.io/library/old:1";
    const manifest = "no match for platform in manifest sha256:66: not found";
    expect(buildFailure(step(load, manifest))).toMatchObject({
      code: "arch_mismatch",
      detail: 'The base image "docker.io/library/old:1" is not made for this box, which runs linux/arm64.',
    });
    for (const words of [
      "standard_init_linux.go:228: exec user process caused: exec format error",
      "exec /bin/sh: exec format error",
    ])
      expect(buildFailure(step("[2/2] RUN x", "exit code: 1", [words])).code).toBe("arch_mismatch");
    // The shell runs; what does not is a file the build itself brought.
    const brought = "/bin/sh: 1: ./tool: Exec format error";
    expect(buildFailure(step("[2/2] RUN ./tool", "exit code: 126", [brought])).code).toBe("build_failed");
  });

  test("a registry that does not answer is registry_unreachable, worth retrying", () => {
    const error =
      'failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host';
    const failure = buildFailure(step("[internal] load metadata for docker.io/library/node:22", error));
    expect(failure.code).toBe("registry_unreachable");
    expect(failure).not.toBeInstanceOf(PermanentError);
  });

  test("a file missing from the context is no missing image", () => {
    const failure = buildFailure(step("[2/2] COPY missing /x", '"/missing" not found: not found'));
    expect(failure.code).toBe("build_failed");
  });

  test("a program that could not reach its registry is the step's own failure", () => {
    const failure = buildFailure(
      step("[3/4] RUN npm ci", "exit code: 1", ["dial tcp: lookup registry.npmjs.org: no such host"]),
    );
    expect(failure.code).toBe("build_failed");
  });

  test("a Dockerfile that cannot be read is named, with the engine's words as evidence", () => {
    const error =
      "failed to solve with frontend dockerfile.v0: dockerfile parse error line 2: unknown instruction: FOO";
    const failure = buildFailure({ error, failed: null });
    expect(failure.code).toBe("build_failed");
    expect(failure.evidence).toEqual([error]);
  });
});

test("buildTimeout names the step that was running", () => {
  const failure = buildTimeout(90_000, "[2/2] RUN sleep");
  expect([failure.code, failure.detail]).toEqual([
    "build_timeout",
    'The build took longer than 90 s and was stopped. It was at "[2/2] RUN sleep".',
  ]);
});
