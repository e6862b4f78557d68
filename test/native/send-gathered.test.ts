/** Answers that are sent from where the log is mapped. */
import { once } from 'node:events';
import { truncateSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { descriptorOf } from '../../src/net/read-buffer.ts';
import { failure } from './support/errno.ts';
import { eventually } from './support/eventually.ts';
import { freshPath } from './support/folder.ts';

const PAGE = 4096;
const SIZE = 64 * PAGE;
const HEAD = Buffer.from('head');

let server: Server;
let ours: Socket;
let peer: Socket;
/** What has come and was not looked at. */
let incoming = Buffer.alloc(0);

/** A segment whose bytes tell their place. */
function segment() {
  const path = freshPath();
  const region = addon.openSegment(path, SIZE, true);
  const bytes = new Uint8Array(addon.attach(region));
  for (let i = 0; i < SIZE; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return { path, region, bytes };
}

function parts(...ranges: [region: number, offset: number, length: number][]): [Float64Array, number] {
  return [Float64Array.from(ranges.flat()), ranges.length];
}

/** The next `length` bytes that come. */
async function received(length: number): Promise<Buffer> {
  await eventually(() => incoming.length >= length, `${length} bytes`);
  const taken = incoming.subarray(0, length);
  incoming = incoming.subarray(length);
  return taken;
}

/** From here on the peer reads. */
function listen(): void {
  peer.on('data', (chunk: Buffer) => {
    incoming = Buffer.concat([incoming, chunk]);
  });
}

function release(region: number): void {
  addon.detach(region);
  addon.closeRegion(region);
}

test.before.each(async () => {
  addon.installFaultGuard();
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  peer = new Socket().connect((server.address() as { port: number }).port, '127.0.0.1');
  [ours] = (await once(server, 'connection')) as [Socket];
  incoming = Buffer.alloc(0);
});

test.after.each(() => {
  ours.destroy();
  peer.destroy();
  server.close();
});

test('head and ranges come in their order, also of several regions', async () => {
  listen();
  const [a, b] = [segment(), segment()];
  const ranges = parts([a.region, 100, 5000], [b.region, 0, 10], [a.region, 50, 50]);
  const length = HEAD.length - 1 + 5060;
  assert.is(addon.sendGathered(descriptorOf(ours), HEAD, HEAD.length - 1, ...ranges), length);
  const expected = [
    HEAD.subarray(0, 3),
    a.bytes.subarray(100, 5100),
    b.bytes.subarray(0, 10),
    a.bytes.subarray(50, 100),
  ];
  assert.equal(await received(length), Buffer.concat(expected));
  for (const { region } of [a, b]) release(region);
});

test('a socket that is full takes a part, and then nothing', async () => {
  const { region, bytes } = segment();
  const all = Buffer.concat([HEAD, bytes]);
  let sent = 0;
  let last = 0;
  for (;;) {
    last = addon.sendGathered(descriptorOf(ours), HEAD, HEAD.length, ...parts([region, 0, SIZE]));
    if (last !== all.length) break;
    sent += last;
  }
  if (last > 0) {
    sent += last;
    last = addon.sendGathered(descriptorOf(ours), HEAD, HEAD.length, ...parts([region, 0, SIZE]));
  }
  assert.is(last, failure('EAGAIN'));
  listen();
  const came = await received(sent);
  for (let at = 0; at < sent; at += all.length)
    assert.ok(all.subarray(0, sent - at).equals(came.subarray(at, at + all.length)), `from ${at} on`);
  release(region);
});

test('it ends before a page that is lost, and zeros that stand for one are told', async () => {
  listen();
  const { path, region, bytes } = segment();
  truncateSync(path, PAGE);
  const ranges = parts([region, 0, 3 * PAGE]);
  const sent = addon.sendGathered(descriptorOf(ours), HEAD, HEAD.length, ...ranges);
  // The kernel may take what comes before the page, or nothing.
  assert.ok((sent > 0 && sent <= HEAD.length + PAGE) || sent === failure('EFAULT'), `${sent} bytes`);
  const came = await received(Math.max(0, sent));
  assert.equal(came, Buffer.concat([HEAD, Buffer.from(bytes.subarray(0, PAGE))]).subarray(0, came.length));
  const lost = parts([region, PAGE, PAGE]);
  assert.is(addon.sendGathered(descriptorOf(ours), HEAD, 0, ...lost), failure('EFAULT'));
  assert.is(addon.regionError(region), 0, 'the kernel has met it, not the guard');
  assert.is(bytes[2 * PAGE], 0);
  assert.is(
    addon.sendGathered(descriptorOf(ours), HEAD, HEAD.length, ...parts([region, 0, 1])),
    failure('EIO'),
  );
  release(region);
});

test('a peer that has gone is an error, not a signal', async () => {
  const { region } = segment();
  peer.resetAndDestroy();
  await once(ours, 'close').catch(() => {});
  assert.is(addon.sendGathered(-1, HEAD, HEAD.length, ...parts([region, 0, 1])), failure('EBADF'));
  release(region);
});

test('misuse is refused and sends nothing', () => {
  listen();
  const { region } = segment();
  const descriptor = descriptorOf(ours);
  const many = Array.from({ length: 65 }, () => [region, 0, 1] as [number, number, number]);
  const misuses: [Uint8Array, number, Float64Array, number][] = [
    [HEAD, HEAD.length + 1, ...parts()],
    [HEAD, -1, ...parts()],
    [HEAD, 0, ...parts([region, SIZE - 1, 2])],
    [HEAD, 0, ...parts([region, -1, 2])],
    [HEAD, 0, ...parts([region, 0, Number.NaN])],
    [HEAD, 0, ...parts([999_999, 0, 1])],
    [HEAD, 0, ...parts(...many)],
    [HEAD, 0, parts([region, 0, 1])[0], 2],
    [HEAD, 0, new Uint8Array(24) as unknown as Float64Array, 1],
    ['head' as unknown as Uint8Array, 0, ...parts()],
  ];
  for (const [head, length, ranges, count] of misuses)
    assert.throws(
      () => addon.sendGathered(descriptor, head, length, ranges, count),
      /unknown region, or range/,
    );
  assert.is(incoming.length, 0);
  release(region);
});

test.run();
