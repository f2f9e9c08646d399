import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";

export interface DeployKey {
  /** PEM of OpenSSH's own format, unencrypted: sealed by the vault, given to ssh by its agent. */
  private_key: string;
  /** One line for the forge's page of deploy keys. */
  public_key: string;
  /** As `ssh-keygen -l` shows it. */
  fingerprint: string;
}

/** A new Ed25519 key pair (formats: PROTOCOL.key of OpenSSH, RFC 8709). */
export function makeDeployKey(comment: string): DeployKey {
  const pair = generateKeyPairSync("ed25519");
  const { x = "", d = "" } = pair.privateKey.export({ format: "jwk" });
  const publicBytes = Buffer.from(x, "base64url");
  const blob = Buffer.concat([field("ssh-ed25519"), field(publicBytes)]);
  const check = randomBytes(4);
  const secret = field(Buffer.concat([Buffer.from(d, "base64url"), publicBytes]));
  const inner = padded(Buffer.concat([check, check, blob, secret, field(comment)]));
  const none = field("none");
  const head = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    none,
    none,
    field(""),
    Buffer.from([0, 0, 0, 1]),
  ]);
  const body = Buffer.concat([head, field(blob), field(inner)]).toString("base64");
  const lines = body.match(/.{1,70}/g)!.join("\n");
  return {
    private_key: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
    public_key: `ssh-ed25519 ${blob.toString("base64")} ${comment}`,
    fingerprint: `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`,
  };
}

/** RFC 4251 string: length, then bytes. */
function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** 1, 2, 3 … up to a multiple of eight. */
function padded(bytes: Buffer): Buffer {
  const missing = (8 - (bytes.length % 8)) % 8;
  return Buffer.concat([bytes, Buffer.from(Array.from({ length: missing }, (_, index) => index + 1))]);
}
