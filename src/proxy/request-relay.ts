import { BodyReader } from "./body-reader.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Exchange, ExchangeRequest } from "./exchange.ts";
import { BAD } from "./fields.ts";
import type { Outbound } from "./outbound.ts";

/** The way there: one request, its body streamed as the client sends it and the app takes it. */
export class RequestRelay {
  readonly body = new BodyReader();
  /** The head has gone to an app at least once. */
  sent = false;
  /** Head and whole body as first sent, if they were complete then: can be sent again. */
  private replay: Buffer | undefined;

  constructor(
    private readonly client: ClientConnection,
    private readonly exchange: Exchange,
    private readonly request: ExchangeRequest,
  ) {
    this.body.start(request.framing, request.contentLength);
  }

  /** Could be sent a second time, and doing so is harmless. */
  get repeatable(): boolean {
    return this.replay !== undefined && this.request.idempotent;
  }

  /** Sends the head and as much of the body as has come, in one write. */
  send(out: Outbound): void {
    if (this.sent) {
      out.write(this.replay!);
      return;
    }
    this.sent = true;
    const bytes = this.body.done ? this.request.bytes : this.withFirstBody();
    if (bytes === undefined) return;
    if (this.body.done) this.replay = bytes;
    out.write(bytes);
  }

  /** Passes on what has come of the body since. False: there was nothing to do, or the app takes nothing at the moment. */
  pump(out: Outbound): boolean {
    const { body, client } = this;
    const { input } = client;
    if (!this.sent || body.done || out.queued > 0 || input === undefined) return false;
    const end = this.read(input);
    if (end < 0) return false;
    for (let i = 0; i < body.parts.length; i += 2) out.write(input, body.parts[i], body.parts[i + 1]);
    out.write(body.tail);
    client.consumed(end);
    return true;
  }

  private withFirstBody(): Buffer | undefined {
    const { input } = this.client;
    if (input === undefined) return this.request.bytes;
    const end = this.read(input);
    if (end < 0) return undefined;
    const { parts, tail } = this.body;
    const pieces: Uint8Array[] = [this.request.bytes];
    for (let i = 0; i < parts.length; i += 2) pieces.push(input.subarray(parts[i], parts[i + 1]));
    pieces.push(tail);
    this.client.consumed(end);
    return Buffer.concat(pieces);
  }

  /** Reads what belongs to the body; refuses it when malformed or too large (then negative). */
  private read(input: Buffer): number {
    const end = this.body.read(input, this.client.inputAt);
    if (end === BAD) this.exchange.fail("bad_request");
    else if (this.body.contentBytes > this.exchange.route.max_body_bytes)
      this.exchange.fail("body_too_large");
    else return end;
    return BAD;
  }
}
