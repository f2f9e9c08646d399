/**
 * One-off commands: a WebSocket at `GET /api/v1/apps/:app/run/socket` (permission `run`). It works alike over TCP
 * (`ws://box:8080/api/v1/…`, `Authorization: Bearer …`) and over control.sock, where Bun's client takes
 * `new WebSocket("ws+unix://" + socketPath + ":/api/v1/apps/blog/run/socket")`.
 *
 * Text frames are JSON messages, binary frames are bytes of the command.
 *
 *   client → box
 *     text    {"type":"start","command":["bin","arg"],"env":{"K":"V"},"tty":true,"size":{"columns":80,"rows":24}}
 *             first of all; env, tty (false) and size may be left out
 *     binary  bytes for stdin
 *     text    {"type":"stdin_end"}                          stdin has ended
 *     text    {"type":"resize","columns":120,"rows":40}     only with tty
 *   box → client
 *     binary  first byte 1 = stdout, 2 = stderr (a tty has stdout only), then the command's bytes
 *     text    {"type":"exit","exit_code":0}                 the command has ended; the box closes with 1000
 *     text    {"type":"error","code":"…","detail":"…","hint":"…"}   it did not run; the box closes with 1000
 *
 * Refusals before the upgrade (401, 403, 404) are problem documents. A client that leaves ends the command. Without
 * interest in stdin, `POST /api/v1/apps/:app/run` answers the same as NDJSON.
 */
