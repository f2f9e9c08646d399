/**
 * Clients that wrk cannot play. Prints `begin` when all are there and, at the end, `{ count, p50, p99 }`;
 * `rude` prints `ready` and stays.
 *
 *   bun clients.ts echo <port> <seconds>      64 WebSockets, each with one message on its way
 *   bun clients.ts events <port> <seconds>    1,000 readers of one event stream; counts events
 *   bun clients.ts rude <port>                1,000 that drip a head, 1,000 that ask for 100 KB again and again unread
 */
import { openLibc, ptr } from "../../../src/proxy/libc.ts";
import { RawClient } from "../../proxy/harness.ts";

const libc = openLibc();
const [SOL_SOCKET, SO_RCVBUF] = [1, 8];
const [kind, port, seconds = "0"] = process.argv.slice(2);
function measured(): Promise<void> {
  console.log("begin");
  return Bun.sleep(Number(seconds) * 1000);
}

const CROWD = 1000;

function report(count: number, latencies: number[]): void {
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
  console.log(JSON.stringify({ count, p50: at(0.5), p99: at(0.99) }));
}

async function echo(): Promise<void> {
  const latencies: number[] = [];
  const open = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live/echo`);
    let sentAt = 0;
    const send = () => {
      sentAt = performance.now();
      socket.send("a message of thirty-two letters.");
    };
    socket.onmessage = () => {
      latencies.push(performance.now() - sentAt);
      send();
    };
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    send();
  };
  await Promise.all(Array.from({ length: 64 }, open));
  latencies.length = 0;
  await measured();
  report(latencies.length, latencies);
}

async function events(): Promise<void> {
  let bytes = 0;
  const request = Buffer.from("GET /live/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  const socket = {
    data(_: unknown, piece: Buffer) {
      bytes += piece.length;
    },
  };
  for (let i = 0; i < CROWD; i++) {
    const client = await Bun.connect({ hostname: "127.0.0.1", port: Number(port), socket });
    client.write(request, 0, request.length);
  }
  bytes = 0;
  await measured();
  report(Math.round(bytes / 100), []);
}

async function rude(): Promise<void> {
  const connect = () => RawClient.connect(Number(port));
  const dripping = await Promise.all(Array.from({ length: CROWD }, connect));
  const deaf = await Promise.all(Array.from({ length: CROWD }, connect));
  for (const { socket } of deaf) keepLittle(socket);
  for (const client of dripping) client.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ");
  for (const client of deaf) {
    client.socket.pause();
    client.send("GET /100k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(30));
  }
  setInterval(() => {
    for (const client of dripping) if (!client.ended) client.send("a");
  }, 1_000);
  console.log("ready");
}

/** A small receive buffer: otherwise a thousand deaf clients are gigabytes of this machine's memory. */
function keepLittle(socket: object): void {
  const bytes = new Int32Array(new ArrayBuffer(4)).fill(16 * 1024);
  libc.setsockopt((socket as { fd: number }).fd, SOL_SOCKET, SO_RCVBUF, ptr(bytes), 4);
}

if (kind === "echo") await echo();
else if (kind === "events") await events();
else await rude();
if (kind !== "rude") process.exit(0);
