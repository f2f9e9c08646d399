import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { $ } from "bun";
import type { CertificateSet, Refusal } from "../../src/proxy/protocol.ts";
import { freePort } from "../support/free-ports.ts";
import { answering, eventually, OK, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";
import { writeSite } from "./site-fixture.ts";

type Certificate = CertificateSet["certificates"][number];

async function selfSigned(...names: string[]): Promise<Certificate> {
  const directory = await mkdtemp(join(tmpdir(), "proxy-tls-"));
  const [key, certificate] = [join(directory, "key.pem"), join(directory, "certificate.pem")];
  const alternative = `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`;
  await $`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${names[0]} -addext ${alternative} -keyout ${key} -out ${certificate}`.quiet();
  const made = {
    names,
    certificate_pem: await readFile(certificate, "utf8"),
    private_key_pem: await readFile(key, "utf8"),
  };
  await rm(directory, { recursive: true });
  return made;
}

interface TlsAnswer {
  subject: string;
  protocol: string;
  text: string;
}

/** One connection that brings the session in `file`, if there is one, and leaves its own there. */
async function resume(port: number, file: string): Promise<{ reused: boolean; answered: boolean }> {
  const given = (await Bun.file(file).exists()) ? ["-sess_in", file] : [];
  const argv = ["openssl", "s_client", "-connect", `127.0.0.1:${port}`, "-servername", "blog.test"];
  const child = Bun.spawn([...argv, "-ign_eof", "-sess_out", file, ...given], {
    stdin: Buffer.from("GET / HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n"),
    stdout: "pipe",
    stderr: "ignore",
  });
  const output = await new Response(child.stdout).text();
  return { reused: output.includes("Reused, TLS"), answered: output.includes("HTTP/1.1 200") };
}

/** One request over TLS; rejects when the handshake fails. */
function ask(port: number, servername: string, host = servername, extra = {}): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      ...extra,
    });
    let text = "";
    let subject = "";
    let protocol = "";
    socket.on("secureConnect", () => {
      subject = String(socket.getPeerCertificate().subject?.CN);
      protocol = String(socket.alpnProtocol);
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    socket.on("data", (bytes: Buffer) => {
      text += bytes;
    });
    socket.on("error", reject);
    socket.on("close", () =>
      text === "" ? reject(new Error("closed")) : resolve({ subject, protocol, text }),
    );
  });
}

describe("https", () => {
  let plane: TestPlane;
  let backend: RawBackend;
  const port = freePort();
  beforeAll(async () => {
    plane = await TestPlane.start();
    backend = new RawBackend(answering(OK));
    const other = routeTo(backend.port, { id: "env2/web", app: "other", hosts: ["other.test"] });
    await plane.route([routeTo(backend.port), other], {
      listeners: [{ host: "127.0.0.1", port, protocol: "https" }],
    });
  });
  afterAll(async () => {
    await plane.stop();
    backend.stop();
  });

  test("without a certificate every handshake fails, and plain HTTP is not served by mistake", async () => {
    expect(ask(port, "blog.test")).rejects.toThrow();
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1\r\nHost: blog.test\r\n\r\n");
    expect(await client.untilEnd()).not.toContain("HTTP/1.1");
    expect(backend.received).toBe("");
  });

  test("each name gets its certificate, wildcards cover one label, unknown names are refused; changed live", async () => {
    const certificates = [await selfSigned("blog.test"), await selfSigned("wild.test", "*.wild.test")];
    expect((await plane.put("/certificates", { version: 1, generation: 1, certificates })).status).toBe(200);
    const answer = await ask(port, "blog.test");
    expect(answer).toMatchObject({ subject: "blog.test", protocol: "http/1.1" });
    expect(answer.text).toEndWith("ok");
    expect(backend.received).toContain("X-Forwarded-Proto: https\r\n");
    expect((await ask(port, "a.wild.test")).subject).toBe("wild.test");
    expect(ask(port, "a.b.wild.test")).rejects.toThrow();
    expect(ask(port, "other.test")).rejects.toThrow();
    certificates.push(await selfSigned("other.test"));
    expect((await plane.put("/certificates", { version: 1, generation: 2, certificates })).status).toBe(200);
    expect((await ask(port, "other.test")).text).toEndWith("ok");
    expect((await ask(port, "BLOG.test", "blog.test", { maxVersion: "TLSv1.2" })).text).toEndWith("ok");
  });

  test("a request for another app than the handshake named is misdirected", async () => {
    const answer = await ask(port, "blog.test", "other.test");
    expect(answer.text).toStartWith("HTTP/1.1 421 ");
  });

  test("a key that does not fit is refused, the key is not quoted, and the old certificate serves on", async () => {
    const [one, two] = [await selfSigned("blog.test"), await selfSigned("blog.test")];
    const bad = { ...one, private_key_pem: two.private_key_pem };
    const { status, body } = await plane.put("/certificates", {
      version: 1,
      generation: 3,
      certificates: [bad],
    });
    expect(status).toBe(422);
    expect((body as Refusal).message).toContain("blog.test");
    expect((body as Refusal).message).not.toContain("PRIVATE");
    expect((await ask(port, "blog.test")).text).toEndWith("ok");
  });

  test("a large answer arrives whole over TLS", async () => {
    const size = 5_000_000;
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("x".repeat(size)) });
    await plane.route([routeTo(server.port!)], {
      listeners: [{ host: "127.0.0.1", port, protocol: "https" }],
    });
    const { text } = await ask(port, "blog.test");
    expect(text.length - text.indexOf("\r\n\r\n") - 4).toBe(size);
    await server.stop(true);
  });

  test("certificates change under load: no handshake fails, each sees an old or a new one", async () => {
    const generations = await Promise.all(Array.from({ length: 3 }, () => selfSigned("blog.test")));
    await plane.route([routeTo(backend.port)], {
      listeners: [{ host: "127.0.0.1", port, protocol: "https" }],
    });
    let done = false;
    let answers = 0;
    const load = Array.from({ length: 4 }, async () => {
      while (!done) {
        expect((await ask(port, "blog.test")).text).toEndWith("ok");
        answers++;
      }
    });
    for (let generation = 100; generation < 130; generation++) {
      const certificates = [generations[generation % 3]!];
      expect((await plane.put("/certificates", { version: 1, generation, certificates })).status).toBe(200);
      const seen = answers;
      await eventually(() => answers > seen);
    }
    done = true;
    await Promise.all(load);
  }, 20_000);

  test("nothing stays open", async () => {
    await eventually(async () => (await plane.state()).connections === 0);
  });
});

describe("sessions", () => {
  test("a ticket of one worker is at worst a full handshake at another, never a failure", async () => {
    const command = [process.execPath, join(import.meta.dir, "worker-entry.ts")];
    const plane = await TestPlane.start({ workers: { count: 2, command } });
    const backend = new RawBackend(answering(OK));
    const port = freePort();
    await plane.route([routeTo(backend.port)], {
      listeners: [{ host: "127.0.0.1", port, protocol: "https" }],
    });
    const certificates = [await selfSigned("blog.test")];
    await plane.put("/certificates", { version: 1, generation: 1, certificates });
    const file = join(plane.data, "session");
    let resumed = 0;
    for (let i = 0; i < 12; i++) {
      const { reused, answered } = await resume(port, file);
      expect(answered).toBe(true);
      if (reused) resumed++;
    }
    expect(resumed).toBeGreaterThan(0);
    await plane.stop();
    backend.stop();
  }, 20_000);
});

describe("a static release over TLS", () => {
  test("a large file arrives whole, though its reader stops now and then", async () => {
    const plane = await TestPlane.start({ limits: { accessLogFlushMs: 20 } });
    const port = freePort();
    const content = randomBytes(12_000_000);
    await writeSite(join(plane.data, "proxy"), "rel-1", { "/large.bin": { content }, "/small.txt": "small" });
    const targets = [{ instance: "s1", release: 1, weight: 1, site: "rel-1" }];
    await plane.route([{ ...routeTo([]), targets, access_log: "json" }], {
      listeners: [{ host: "127.0.0.1", port, protocol: "https" }],
    });
    const certificates = [await selfSigned("blog.test")];
    await plane.put("/certificates", { version: 1, generation: 1, certificates });
    const socket = connect({ host: "127.0.0.1", port, servername: "blog.test", rejectUnauthorized: false });
    const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: blog.test\r\n${more}\r\n`;
    socket.write(get("/large.bin") + get("/small.txt", "Connection: close\r\n"));
    const pieces: Buffer[] = [];
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      if (pieces.length % 50 !== 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    });
    await new Promise((resolve) => socket.on("close", resolve));
    const all = Buffer.concat(pieces);
    const body = all.indexOf("\r\n\r\n") + 4;
    expect(all.subarray(body, body + content.length).equals(content)).toBe(true);
    expect(all.subarray(body + content.length).toString()).toEndWith("\r\n\r\nsmall");
    const log = join(plane.data, "proxy", "logs", "blog.log");
    await eventually(
      async () => (await Bun.file(log).exists()) && (await Bun.file(log).text()).includes("small"),
    );
    expect(JSON.parse((await Bun.file(log).text()).split("\n")[0]!)).toMatchObject({
      tls: "TLSv1.3",
      bytes_out: content.length,
    });
    await plane.stop();
  }, 20_000);
});
