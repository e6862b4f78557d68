/** Lab: sending bytes of a mapping to a socket: copied into an output buffer first, as views, or by their places. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '../../src/net/connection.ts';
import { sendBody } from '../../src/net/mapped-body.ts';
import { OutputPool } from '../../src/net/output-pool.ts';
import { Gathered } from '../../src/ring/gathered.ts';
import type { Mapping } from '../../src/store/disk/disk.ts';
import { nativeDisk } from '../../src/store/disk/native-disk.ts';
import { HOST } from '../micro/fixtures.ts';
import { type Bench, type Case, type Lab, scaled } from './lib/lab.ts';

const FILE_BYTES = 32 << 20;
const HEADER_BYTES = 200;
/** Of a round, in each case. */
const SENT_BYTES = 48 << 20;
const MAX_REPLIES = 8000;
/** Waiting at the socket, before the sender waits too. */
const UNSENT_BYTES = 2 << 20;

const COPIED = 'copied, one write';
const GATHERED = 'views, one writev';
const SINGLE = 'views, a write each';
const PLACES = 'places, one call';

interface Shape {
  place: string;
  pieces: number;
  bytes: number;
  /** From one piece to the next. */
  stride: number;
}

const SHAPES: Shape[] = [
  { place: '1 piece of 1 KiB', pieces: 1, bytes: 1 << 10, stride: 1 << 10 },
  { place: '1 piece of 32 KiB', pieces: 1, bytes: 32 << 10, stride: 32 << 10 },
  { place: '1 piece of 1 MiB', pieces: 1, bytes: 1 << 20, stride: 1 << 20 },
  { place: '32 scattered, 128 B each', pieces: 32, bytes: 128, stride: 4096 },
  { place: '32 scattered, 1 KiB each', pieces: 32, bytes: 1 << 10, stride: 4096 },
  { place: '32 scattered, 32 KiB each', pieces: 32, bytes: 32 << 10, stride: 40 << 10 },
];

/** Sends a header and these pieces of the mapping. */
type Send = (pieces: Buffer[], bytes: number) => void;

function connectionOver(socket: net.Socket): Connection {
  const identity = { slot: 0, generation: 1, host: HOST, remoteAddress: '' };
  return new Connection(socket, identity, new OutputPool(), 0);
}

function copyAll(pieces: readonly Buffer[], target: Uint8Array, from: number): true {
  let at = from;
  for (const piece of pieces) {
    target.set(piece, at);
    at += piece.length;
  }
  return true;
}

function copying(socket: net.Socket): Send {
  const connection = connectionOver(socket);
  const header = Buffer.alloc(HEADER_BYTES, 1);
  return (pieces, bytes) => {
    const at = connection.reserve(HEADER_BYTES + bytes);
    connection.output.set(header, at);
    copyAll(pieces, connection.output, at + HEADER_BYTES);
    connection.flush();
  };
}

/** By the places of the pieces in the mapping, whatever their size; what the kernel does not take is copied. */
function placing(socket: net.Socket, { region, bytes }: Mapping): Send {
  const connection = connectionOver(socket);
  const header = Buffer.alloc(HEADER_BYTES, 1);
  const gathered = new Gathered();
  return (pieces, totalBytes) => {
    const start = connection.reserve(HEADER_BYTES);
    connection.output.set(header, start);
    gathered.clear();
    for (const piece of pieces) gathered.add(region, piece.byteOffset - bytes.byteOffset, piece.length);
    const copyTo = (target: Uint8Array, at: number) => copyAll(pieces, target, at);
    const body = { totalBytes, gather: () => gathered, copyTo };
    if (connection.isDirect) {
      sendBody(connection, start, body, gathered);
    } else {
      const at = connection.reserve(totalBytes);
      copyTo(connection.output, at);
    }
    connection.flush();
  };
}

function viewing(socket: net.Socket, together: boolean): Send {
  const header = Buffer.alloc(HEADER_BYTES, 1);
  return (pieces) => {
    if (together) socket.cork();
    socket.write(header);
    for (const piece of pieces) socket.write(piece);
    if (together) socket.uncork();
  };
}

/** The pieces of the next answer, each time others: as consumers read through a log. */
function walk(bytes: Uint8Array, { pieces, bytes: length, stride }: Shape): () => Buffer[] {
  let at = 0;
  return () => {
    if (at + pieces * stride > bytes.length) at = 0;
    const from = bytes.byteOffset + at;
    at += pieces * stride;
    return Array.from({ length: pieces }, (_, i) =>
      Buffer.from(bytes.buffer as ArrayBuffer, from + i * stride, length),
    );
  };
}

async function sendAll(socket: net.Socket, next: () => Buffer[], send: Send, shape: Shape, count: number) {
  const total = shape.pieces * shape.bytes;
  for (let i = 0; i < count; i++) {
    send(next(), total);
    if (socket.writableLength > UNSENT_BYTES) await once(socket, 'drain');
  }
  if (socket.writableLength > 0) await once(socket, 'drain');
}

function caseOf(
  socket: net.Socket,
  mapped: Uint8Array,
  shape: Shape,
  way: string,
  send: Send,
  bench: Bench,
): Case {
  const total = shape.pieces * shape.bytes;
  const count = scaled(bench.scale, Math.min(MAX_REPLIES, SENT_BYTES / total));
  const next = walk(mapped, shape);
  return {
    place: shape.place,
    way,
    async measure() {
      const cpu = process.cpuUsage();
      const from = performance.now();
      await sendAll(socket, next, send, shape, count);
      const micros = (performance.now() - from) * 1000;
      const { user, system } = process.cpuUsage(cpu);
      return {
        processor: (user + system) / count,
        reply: micros / count,
        rate: (total * count * 1e6) / micros / (1 << 20),
      };
    },
  };
}

/** A connection to a process that takes everything. */
async function connect({ helper }: Bench): Promise<{ socket: net.Socket; close: () => void }> {
  const server = net.createServer({ noDelay: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sink = fileURLToPath(new URL('./threads/sink.process.js', import.meta.url));
  const child = fork(sink, [String((server.address() as net.AddressInfo).port)]);
  if (child.pid !== undefined) helper(child.pid);
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  // It is killed with what it has not read.
  socket.on('error', () => {});
  const close = (): void => {
    child.kill();
    socket.destroy();
    server.close();
  };
  return { socket, close };
}

export const lab: Lab = {
  title: 'From a mapping to a socket: copies and views',
  hypothesis:
    'Copying stored messages behind a header costs a pass over bytes that lie in the cache afterwards, and one write call. ' +
    'Views of the mapping save the pass and cost an object and a place in a list for each piece. So views pay where a ' +
    'piece is large, and lose where an answer is many small pieces, as consumers mostly ask for. A call that takes the ' +
    'places of the pieces as numbers saves the pass and makes no objects.',
  experiment:
    'Answers of a header of 200 bytes and one or 32 pieces of a mapped file go over a TCP connection of the loopback to ' +
    "another process, which throws them away: copied into the broker's own output buffer (`Connection`) and sent by one " +
    'write, as views sent by one `writev` (cork), as views written one by one, or by one call of the addon that is told ' +
    'where the pieces stand (`sendGathered`). CPU time is that of the sender, system calls included.',
  reading:
    'CPU a reply is what the network thread loses for others; the time also holds waiting for the reader. The kernel copies ' +
    'in all cases: "zero-copy" means no copy in user space. Buffers of more than 512 KiB are not kept for the next answer, so ' +
    'the copy of 1 MiB also pays for memory that was never touched. The pages are in memory here; a view of one that is not would ' +
    'stop the thread inside the system call.',
  uses: [
    {
      file: 'src/broker/pull/pull-reply.ts',
      symbol: 'writePullAnswer',
      what: 'answers to pulls: records of 8 KiB together and more by their places, others copied behind the header',
    },
    { file: 'src/net/connection.ts', symbol: 'flush', what: 'all answers of a turn leave in one write' },
    {
      file: 'src/replication/master/slave-feed.ts',
      symbol: 'SlaveFeed',
      what: 'a slave gets large contiguous pieces of the log: views of the mapping, without a copy',
    },
  ],
  places: 'answer',
  columns: [
    { key: 'processor', title: "sender's CPU, µs a reply" },
    { key: 'reply', title: 'µs a reply' },
    { key: 'rate', title: 'MiB a second' },
  ],
  chart: { column: 'processor', logarithmic: true },
  bytes: () => FILE_BYTES,
  async open(bench) {
    const mapping = nativeDisk.map(join(bench.folder, 'log'), FILE_BYTES, FILE_BYTES);
    if (typeof mapping === 'number') throw new Error(`mapping failed with errno ${-mapping}`);
    mapping.bytes.fill(7);
    const { socket, close } = await connect(bench);
    const ways: [string, Send][] = [
      [COPIED, copying(socket)],
      [GATHERED, viewing(socket, true)],
      [SINGLE, viewing(socket, false)],
      [PLACES, placing(socket, mapping)],
    ];
    const cases = SHAPES.flatMap((shape) =>
      ways.map(([way, send]) => caseOf(socket, mapping.bytes, shape, way, send, bench)),
    );
    return { cases, close };
  },
  findings: [
    (look) => {
      const times =
        look('32 scattered, 1 KiB each', PLACES, 'processor') /
        look('32 scattered, 1 KiB each', COPIED, 'processor');
      return `32 scattered messages of 1 KiB: by their places they cost ${times.toFixed(2)} times the CPU of copying`;
    },
    (look) => {
      const times =
        look('32 scattered, 1 KiB each', GATHERED, 'processor') /
        look('32 scattered, 1 KiB each', COPIED, 'processor');
      return `32 scattered messages of 1 KiB: views by writev cost ${times.toFixed(2)} times the CPU of copying`;
    },
    (look) => {
      const times =
        look('1 piece of 1 MiB', GATHERED, 'processor') / look('1 piece of 1 MiB', COPIED, 'processor');
      return `one piece of 1 MiB: ${times.toFixed(2)} times`;
    },
    (look) => {
      const times =
        look('32 scattered, 1 KiB each', SINGLE, 'processor') /
        look('32 scattered, 1 KiB each', COPIED, 'processor');
      return `32 scattered messages of 1 KiB, a write call each: ${times.toFixed(1)} times`;
    },
  ],
};
