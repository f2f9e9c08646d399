/** What is known of a request before anybody looks into it. */
export interface Arrival {
  request: Request;
  /** ULID; in the answer's X-Request-ID, in problems and in the log. */
  id: string;
  /** The door: TCP, or control.sock on the box itself. */
  local: boolean;
  /** The peer's address; null on control.sock. IPv4 in its short form. */
  ip: string | null;
  /** The peer came by https. */
  secure: boolean;
}

/** `::ffff:1.2.3.4` is 1.2.3.4 on a dual-stack listener. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
