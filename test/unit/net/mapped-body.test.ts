/** Bodies that the kernel takes from the log's mapping, or as much of them as it takes at once. */
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../../src/native/addon.ts';
import type { Connection } from '../../../src/net/connection.ts';
import { gatheredBody, type MappedBody, sendBody } from '../../../src/net/mapped-body.ts';
import { CUT_ALL } from '../../../src/protocol/frame-cutter.ts';
import { Gathered } from '../../../src/ring/gathered.ts';
import { NativeMapping } from '../../../src/store/disk/native-disk.ts';
import { RigClient, SocketsRig, until } from '../../support/sockets-rig.ts';

const SIZE = 1 << 20;
const HEAD_BYTES = 8;
const BODY_BYTES = 200_000;

let directory: string;
let path: string;
let mapping: NativeMapping;
let rig: SocketsRig;

/** Two ranges of the file, the later one first. */
class Body implements MappedBody {
  readonly totalBytes = BODY_BYTES;
  copies = 0;
  isReadable = true;
  readonly #gathered = new Gathered();

  gather(): Gathered | undefined {
    this.#gathered.clear();
    this.#gathered.add(mapping.region, BODY_BYTES, BODY_BYTES / 2);
    this.#gathered.add(mapping.region, 0, BODY_BYTES / 2);
    return this.#gathered;
  }

  copyTo(target: Uint8Array, at: number): boolean {
    this.copies++;
    if (!this.isReadable) return false;
    target.set(bodyBytes(), at);
    return true;
  }
}

function bodyBytes(): Buffer {
  const second = BODY_BYTES + BODY_BYTES / 2;
  return Buffer.concat([
    mapping.bytes.subarray(BODY_BYTES, second),
    mapping.bytes.subarray(0, BODY_BYTES / 2),
  ]);
}

/** As answers are made: the head into the output, and then the body. */
function answer(connection: Connection, opaque: number, body: Body): boolean {
  const start = connection.reserve(HEAD_BYTES);
  connection.output.writeInt32BE(4 + BODY_BYTES, start);
  connection.output.writeInt32BE(opaque, start + 4);
  const gathered = gatheredBody(connection, body);
  if (gathered !== undefined) return sendBody(connection, start, body, gathered);
  const at = connection.reserve(BODY_BYTES);
  return body.copyTo(connection.output, at);
}

function frameOf(opaque: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeInt32BE(4 + BODY_BYTES, 0);
  head.writeInt32BE(opaque, 4);
  return Buffer.concat([head, bodyBytes()]);
}

/** A frame of its own. */
function note(number: number): Buffer {
  const frame = Buffer.alloc(8);
  frame.writeInt32BE(4, 0);
  frame.writeInt32BE(number, 4);
  return frame;
}

const BEFORE = note(-1);
const BEHIND = note(-2);

/** A client whose bytes are kept as they come. */
async function client() {
  const one = await RigClient.connect(rig.port);
  rig.clients.push(one);
  const chunks: Buffer[] = [];
  one.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { one, bytes: () => Buffer.concat(chunks) };
}

test.before.each(async () => {
  addon.installFaultGuard();
  directory = mkdtempSync(join(tmpdir(), 'ringmq-mapped-body-'));
  path = join(directory, 'segment');
  mapping = new NativeMapping(addon.openSegment(path, SIZE, true), SIZE, path);
  for (let i = 0; i < SIZE; i++) mapping.bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  rig = new SocketsRig();
  await rig.listen();
});

test.after.each(async () => {
  await rig.close();
  mapping.close();
  rmSync(directory, { recursive: true });
});

test('head and body come whole, behind what was written before, and nothing is copied', async () => {
  const body = new Body();
  rig.onFrame = (connection, opaque) => {
    connection.append(BEFORE);
    assert.ok(answer(connection, opaque, body));
    connection.append(BEHIND);
    return CUT_ALL;
  };
  const { one, bytes } = await client();
  one.ask(7);
  const expected = Buffer.concat([BEFORE, frameOf(7), BEHIND]);
  await until('all has come', () => bytes().length >= expected.length);
  assert.ok(bytes().equals(expected));
  assert.is(body.copies, 0);
});

test('what the kernel does not take goes behind it, byte for byte, whoever reads slowly', async () => {
  const body = new Body();
  let asked = 0;
  rig.onFrame = (connection, opaque) => {
    asked = opaque;
    assert.ok(answer(connection, opaque, body));
    return CUT_ALL;
  };
  const { one, bytes } = await client();
  one.socket.pause();
  // Until one goes by Node's socket, and some more that find something waiting there.
  for (let opaque = 1; body.copies < 4; opaque++) {
    one.ask(opaque);
    await until('the frame is handled', () => asked === opaque);
  }
  one.socket.resume();
  const expected = Buffer.concat(Array.from({ length: asked }, (_, i) => frameOf(i + 1)));
  await until('all has come', () => bytes().length >= expected.length);
  assert.ok(bytes().equals(expected), `${asked} answers, ${body.copies} of them copied`);
  one.ask(asked + 1);
  await until('the next one has come', () => bytes().length >= expected.length + HEAD_BYTES + BODY_BYTES);
  assert.is(body.copies, 4, 'it is sent from the mapping again');
});

test('what has gone past its socket counts as taken', async () => {
  const body = new Body();
  let connection: Connection | undefined;
  rig.onFrame = (one, opaque) => {
    connection = one;
    assert.ok(answer(one, opaque, body));
    return CUT_ALL;
  };
  const { one, bytes } = await client();
  one.ask(1);
  await until('all has come', () => bytes().length === HEAD_BYTES + BODY_BYTES);
  assert.is(connection?.bytesTaken, HEAD_BYTES + BODY_BYTES);
});

test('a body that cannot be read is taken back, or the end of its connection when a part has left', async () => {
  const body = new Body();
  const outcomes: boolean[] = [];
  rig.onFrame = (connection, opaque) => {
    connection.append(BEFORE);
    outcomes.push(answer(connection, opaque, body));
    connection.append(BEHIND);
    return CUT_ALL;
  };
  truncateSync(path, 4096);
  body.isReadable = false;
  const { one, bytes } = await client();
  one.ask(1);
  await until('it has come to an end', () => one.closed || bytes().includes(BEHIND));
  // The kernel may take the head before it meets the page, or nothing.
  assert.equal(outcomes, [one.closed]);
  if (!one.closed) assert.equal(bytes(), Buffer.concat([BEFORE, BEHIND]));
});

// Of 20 bytes of output 12 are of answers before it.
for (const [sent, left, isEnded] of [
  [0, 12, false],
  [5, 7, false],
  [12, 0, false],
  [13, 0, true],
  [40, 0, true],
] as const) {
  test(`a body that cannot be read when ${sent} bytes have left`, () => {
    const body = new Body();
    body.isReadable = false;
    const calls: unknown[] = [];
    const connection = {
      used: 20,
      sendWith: () => sent,
      reserve: () => 0,
      output: Buffer.alloc(0),
      trim: (end: number) => calls.push(end),
      socket: { destroy: () => calls.push('destroyed') },
    };
    const isAnswered = sendBody(connection as unknown as Connection, 12, body, body.gather() as Gathered);
    assert.is(isAnswered, isEnded, 'the caller may answer otherwise unless the connection ends');
    assert.equal(calls, isEnded ? [left, 'destroyed'] : [left]);
  });
}

test.run();
