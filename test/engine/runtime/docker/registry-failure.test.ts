import { expect, test } from "bun:test";
import { registryFailure } from "../../../../src/engine/runtime/docker/registry-failure.ts";
import { PermanentError } from "../../../../src/errors.ts";

const IMAGE = "ghcr.io/you/app:1";

for (const [words, code, permanent] of [
  ["manifest unknown: manifest unknown", "image_not_found", true],
  ["manifest for ghcr.io/you/app:1 not found: manifest unknown", "image_not_found", true],
  ["name unknown: repository name not known to registry", "image_not_found", true],
  [
    "pull access denied for you/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    "image_not_found",
    true,
  ],
  ['Head "https://ghcr.io/v2/you/app/manifests/1": no basic auth credentials', "auth_failed", true],
  ['Head "https://ghcr.io/v2/you/app/manifests/1": unauthorized', "auth_failed", true],
  ['Head "https://ghcr.io/v2/you/app/manifests/1": denied: denied', "auth_failed", true],
  [
    'Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io on 1.1.1.1:53: no such host',
    "registry_unreachable",
    false,
  ],
  [
    'Get "https://ghcr.io/v2/": dial tcp 1.2.3.4:443: connect: connection refused',
    "registry_unreachable",
    false,
  ],
  ["net/http: TLS handshake timeout", "registry_unreachable", false],
  ["toomanyrequests: You have reached your pull rate limit", "registry_unreachable", false],
  [
    'Get "https://ghcr.io/v2/": http: server gave HTTP response to HTTPS client',
    "registry_unreachable",
    true,
  ],
  ['Get "https://ghcr.io/v2/": x509: certificate signed by unknown authority', "registry_unreachable", true],
  ["write /var/lib/docker/x: no space left on device", "disk_full", true],
] as const)
  test(`registryFailure: ${words.slice(0, 60)} is ${code}`, () => {
    const failure = registryFailure(IMAGE, words, false);
    expect({ code: failure.code, permanent: failure instanceof PermanentError }).toEqual({ code, permanent });
    expect(failure.hint).toBeString();
  });

test("registryFailure tells credentials that were refused from those that are missing", () => {
  const words = "unauthorized: authentication required";
  expect(registryFailure(IMAGE, words, true).hint).toBe("Check them: diplo registries:test ghcr.io");
  expect(registryFailure(IMAGE, words, false).hint).toBe(
    "Let the box sign in there: diplo registries:add ghcr.io USER --password -",
  );
});
