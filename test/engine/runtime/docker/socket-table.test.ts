import { expect, test } from "bun:test";
import { parseSocketTable } from "../../../../src/engine/runtime/docker/socket-table.ts";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0B00007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 0200D50A:0CEA 0100D50A:D431 01 00000000:00000000 00:00000000 00000000     0        0 3 1
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0 0 0 0 0
   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 0 0 0 0 0
   2: 0000000000000000FFFF00000100007F:0052 00000000000000000000000000000000:0000 0A 0 0 0 0 0
   3: B80D01200000000000000000010000FE:0053 00000000000000000000000000000000:0000 0A 0 0 0 0 0
`;

test("parseSocketTable answers listening sockets only, and not the engine's resolver", () => {
  expect(parseSocketTable(TABLE)).toEqual([
    { address: "::", port: 80 },
    { address: "::1", port: 81 },
    { address: "127.0.0.1", port: 82 },
    { address: "2001:db8::fe00:1", port: 83 },
    { address: "127.0.0.1", port: 8080 },
  ]);
});
