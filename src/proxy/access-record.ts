import { isIP } from "node:net";
import type { AccessFacts } from "./access-log-format.ts";
import type { AccessLog } from "./access-logs.ts";
import { Kind } from "./field-kind.ts";
import { joined } from "./fields.ts";
import type { Peer } from "./peer.ts";
import type { PeerSet } from "./peer-set.ts";
import type { RequestHead } from "./request-head.ts";
import type { TargetState } from "./target.ts";

/** What must be known besides the head. */
export interface AccessContext {
  peer: Peer;
  trusted: PeerSet;
  /** In ASCII. */
  requestId: Buffer;
}

/** What the access log will say of a request under way. Made when its head was read, because that does not stay. */
export class AccessRecord implements AccessFacts {
  at = 0;
  requestId: string;
  remoteAddress: string;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly minorVersion: number;
  status = 0;
  bytesIn = 0;
  bytesOut = 0;
  durationMs = 0;
  firstByteMs: number | undefined;
  instance = "";
  release = 0;
  userAgent = "";
  referer = "";
  error = "";
  readonly tls: string;
  readonly startedAt = performance.now();

  constructor(
    private readonly log: AccessLog,
    bytes: Buffer,
    head: RequestHead,
    { peer, trusted, requestId }: AccessContext,
  ) {
    this.requestId = requestId.toString("latin1");
    this.remoteAddress = peer.address;
    this.method = head.method;
    this.host = head.authority.text;
    this.target = head.path + head.query;
    this.minorVersion = head.minorVersion;
    this.tls = peer.tls;
    this.readFields(bytes, head, peer, trusted);
  }

  /** The answer begins to go out. */
  firstByte(): void {
    this.firstByteMs ??= performance.now() - this.startedAt;
  }

  /** Once. `bytesIn`, `bytesOut`: of the contents. `target`: who had the request at its end, which is `now`. */
  end(
    status: number,
    bytesIn: number,
    bytesOut: number,
    target?: TargetState,
    now = performance.now(),
  ): void {
    this.at = Date.now();
    this.durationMs = now - this.startedAt;
    if (status !== CLIENT_GONE) this.firstByteMs ??= this.durationMs;
    this.status = status;
    this.bytesIn = bytesIn;
    this.bytesOut = bytesOut;
    this.instance = target?.instance ?? "";
    this.release = target?.release ?? 0;
    this.log.write(this);
  }

  private readFields(bytes: Buffer, { fields }: RequestHead, peer: Peer, trusted: PeerSet): void {
    let chain = "";
    for (let i = 0; i < fields.count; i++) {
      const kind = fields.kind[i];
      if (kind === Kind.other) this.readField(bytes, fields.nameEnd[i]! - fields.nameStart[i]!, i, fields);
      else if (!peer.trusted) continue;
      else if (kind === Kind.forwardedFor) chain = joined(chain, fields.value(bytes, i));
      else if (kind === Kind.requestId) this.requestId = fields.value(bytes, i);
    }
    if (chain === "") return;
    const origin = trusted.originIn(`${chain},${peer.address}`);
    if (isIP(origin) !== 0) this.remoteAddress = origin;
  }

  private readField(bytes: Buffer, nameLength: number, i: number, fields: RequestHead["fields"]): void {
    if (nameLength === USER_AGENT.length) {
      if (fields.name(bytes, i) === USER_AGENT) this.userAgent = fields.value(bytes, i);
    } else if (nameLength === REFERER.length && fields.name(bytes, i) === REFERER)
      this.referer = fields.value(bytes, i);
  }
}

const CLIENT_GONE = 499;
const USER_AGENT = "user-agent";
const REFERER = "referer";
