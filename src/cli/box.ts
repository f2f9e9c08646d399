import { DiploError } from "../errors.ts";
import { BoxError } from "./box-error.ts";
import { type Door, denied } from "./door.ts";

export interface BoxRequest {
  method: string;
  /** Below /api/v1, already encoded. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: BodyInit;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** The API of one box, by socket or by address. Every failure is a DiploError with a remedy. */
export class Box {
  constructor(readonly door: Door) {}

  /** Where this box is, for messages. */
  get place(): string {
    return this.door.kind === "socket" ? this.door.path : this.door.url;
  }

  /** The answer's JSON. Throws BoxError for problem documents. */
  async json<T>(request: BoxRequest): Promise<T> {
    const response = await this.fetch(request);
    try {
      return (await response.json()) as T;
    } catch (cause) {
      throw new DiploError("bad_answer", `${this.place} did not answer JSON; is it a Diplo?`, { cause });
    }
  }

  /** The answer, if it is a good one (below 300). No time limit: deployments take as long as they take. */
  async fetch(request: BoxRequest): Promise<Response> {
    const response = await this.send(request);
    if (response.status >= 300 && response.status < 400) throw this.moved(response);
    if (response.status >= 400) throw await BoxError.from(response);
    return response;
  }

  private async send({ method, path, query, json, body, headers, signal }: BoxRequest): Promise<Response> {
    const { door } = this;
    const token = door.kind === "url" ? door.token : undefined;
    const init: BunFetchRequestInit & { timeout: false } = {
      method,
      body: json === undefined ? body : JSON.stringify(json),
      headers: {
        accept: "application/json",
        ...(json !== undefined && { "content-type": "application/json" }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      signal,
      redirect: "manual",
      timeout: false,
    };
    const target = `/api/v1${path}${queryText(query)}`;
    try {
      if (door.kind === "socket")
        return await fetch(`http://localhost${target}`, { ...init, unix: door.path });
      return await fetch(new URL(target, door.url), init);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw this.unreachable(error);
    }
  }

  private unreachable(cause: unknown): DiploError {
    const { code = "" } = cause as { code?: string };
    if (this.door.kind === "socket") {
      if (code === "EACCES" || code === "EPERM" || code === "PermissionDenied") return denied(this.door.path);
      return new DiploError("box_not_running", `Diplo is not running: nobody answers at ${this.door.path}`, {
        hint: "Start it with: diplo serve (or: systemctl start diplo)",
        cause,
      });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new DiploError("box_unreachable", `${this.door.url} does not answer: ${reason}`, {
      hint: "Is the box on, and is this the address of its dashboard (port 8080 unless changed)?",
      cause,
    });
  }

  private moved(response: Response): DiploError {
    const to = response.headers.get("location") ?? "another address";
    return new DiploError("box_moved", `${this.place} sends us to ${to}`, {
      hint: "Set DIPLO_URL to that address.",
    });
  }
}

function queryText(query: BoxRequest["query"] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size > 0 ? `?${search}` : "";
}
