/** Acts below the level of requests: connections, lengths, frames that are none. */
import type { Act, Scene } from './act.ts';
import { pause, pipeline, within } from './act.ts';
import { brokerRequests, nameServerRequests, type RequestShape } from './requests.ts';
import { bodyOf } from './variations.ts';
import { encodeRequest, frameOf } from './wire.ts';

const MIB = 1 << 20;

function someShape({ random, nameServer }: Scene, address: string): RequestShape {
  return random.pick(address === nameServer ? nameServerRequests : brokerRequests);
}

function someFrame(scene: Scene, address: string, opaque = 1): Buffer {
  const { code, fields, body } = someShape(scene, address);
  const binary = scene.random.chance(0.5);
  return encodeRequest({ code, fields, body: bodyOf(body) ?? Buffer.alloc(0), binary }, opaque);
}

/** Cheap random bytes: a block of them over and over. */
function noise({ random }: Scene, length: number): Buffer {
  return Buffer.alloc(length, random.bytes(Math.min(length, 512)));
}

const connectStorm: Act = async (scene) => {
  const address = scene.somewhere();
  const talks = await Promise.all(Array.from({ length: scene.random.int(5, 40) }, () => scene.open(address)));
  for (const talk of talks) {
    if (scene.random.chance(0.2)) void talk.write(noise(scene, 3));
    if (scene.random.chance(0.5)) talk.socket.resetAndDestroy();
    else talk.destroy();
  }
};

const garbage: Act = async (scene) => {
  const talk = await scene.open(scene.somewhere());
  for (let n = scene.random.int(1, 5); n > 0; n--)
    await within(talk.write(noise(scene, scene.random.int(1, 70_000))));
  scene.leave(talk);
};

const lengthLie: Act = async (scene) => {
  const talk = await scene.open(scene.somewhere());
  const lie = Buffer.alloc(12);
  lie.writeInt32BE(scene.random.pick([0, 1, 3, -1, -2147483648, 16 * MIB - 3, 2147483647, 0x47455420]), 0);
  await within(talk.write(lie));
  scene.leave(talk);
};

const headerLie: Act = async (scene) => {
  const address = scene.somewhere();
  const talk = await scene.open(address);
  const frame = someFrame(scene, address);
  if (scene.random.chance(0.5)) frame.writeUIntBE(scene.random.pick([0, 1, 20, 0xffffff]), 5, 3);
  else frame.writeUInt8(scene.random.int(2, 255), 4);
  await within(talk.write(frame));
  scene.leave(talk);
};

/** A frame with some bytes changed, sent often enough to be read by templates and in place. */
const flippedBytes: Act = async (scene) => {
  const address = scene.somewhere();
  const talk = await scene.open(address);
  for (let n = scene.random.int(1, 30); n > 0 && !talk.closed; n--) {
    const frame = someFrame(scene, address, n);
    for (let flips = scene.random.int(1, 6); flips > 0; flips--) {
      frame[scene.random.int(4, Math.min(frame.length - 1, 300))] = scene.random.int(0, 255);
    }
    await within(talk.write(frame));
  }
  scene.leave(talk);
};

const halfFrame: Act = async (scene) => {
  const address = scene.somewhere();
  const talk = await scene.open(address);
  const frame = someFrame(scene, address);
  await within(talk.write(frame.subarray(0, scene.random.int(1, frame.length - 1))));
  scene.leave(talk);
};

/** Each holds up to a megabyte of a frame that claims sixteen. */
const largeHalfFrames: Act = async (scene) => {
  const address = scene.somewhere();
  for (let n = scene.random.int(1, 8); n > 0; n--) {
    const talk = await scene.open(address);
    const start = Buffer.alloc(scene.random.int(1000, MIB));
    start.writeInt32BE(16 * MIB - 4, 0);
    await within(talk.write(start));
    scene.leave(talk);
  }
};

const slowLoris: Act = async (scene) => {
  const address = scene.somewhere();
  const talk = await scene.open(address);
  const frame = someFrame(scene, address);
  for (let at = 0; at < Math.min(frame.length, 40) && !talk.closed; at++) {
    await within(talk.write(frame.subarray(at, at + 1)));
    await pause(scene.random.int(0, 20));
  }
  scene.leave(talk);
};

/** Whole requests, cut anywhere. */
const cutFrames: Act = async (scene) => {
  const address = scene.somewhere();
  const talk = await scene.open(address);
  const stream = Buffer.concat(Array.from({ length: 10 }, (_, i) => someFrame(scene, address, i + 1)));
  for (let at = 0; at < stream.length; ) {
    const end = at + scene.random.int(1, 700);
    await within(talk.write(stream.subarray(at, end)));
    at = end;
  }
  await talk.until(() => talk.answers.size >= 8, 500);
  scene.leave(talk);
};

const closedMidFrame: Act = async (scene) => {
  const address = scene.somewhere();
  const talk = await scene.open(address);
  await pipeline(talk, [{ code: someShape(scene, address).code }]);
  const frame = someFrame(scene, address);
  void talk.write(frame.subarray(0, frame.length >> 1));
  await pause(scene.random.int(0, 5));
  talk.socket.resetAndDestroy();
};

const headers: readonly ((scene: Scene) => Buffer)[] = [
  () => Buffer.from(`{"code":10,"extFields":${'{"a":'.repeat(20_000)}`),
  () => Buffer.from(`${'['.repeat(200_000)}`),
  () =>
    Buffer.from(
      `{"code":310,"extFields":{${Array.from({ length: 50_000 }, (_, i) => `"f${i}":"v"`).join(',')}}}`,
    ),
  () => Buffer.from(`{"code":310,"extFields":{${'"a":"x",'.repeat(50_000)}"b":"y"}}`),
  () => Buffer.from(`{"code":34,"code":10,"opaque":${'9'.repeat(100_000)}}`),
  () => Buffer.from(`{"code":1e${'9'.repeat(300)}}`),
  () => Buffer.from('{"code":310,"extFields":{"\\u0062":"x","a":"\\u0000\\ud800"},"opaque":5}'),
  () => Buffer.from('{"extFields":{"$ref":"$"},"remark":{"$ref":".."}}'),
  (scene) => noise(scene, 100_000),
  () => Buffer.alloc(0),
  () => Buffer.from('   '),
];

const oddHeader: Act = async (scene) => {
  const talk = await scene.open(scene.somewhere());
  const header = scene.random.pick(headers)(scene);
  await within(talk.write(frameOf(scene.random.chance(0.8) ? 0 : 1, header, noise(scene, 100))));
  await talk.until(() => talk.frames > 0, 200);
  scene.leave(talk);
};

const answersToNothing: Act = async (scene) => {
  const talk = await scene.open(scene.somewhere());
  const code = scene.random.pick([0, 1, 40, 310]);
  const requests = Array.from({ length: 200 }, () => ({
    code,
    flag: 1,
    body: Buffer.from('x'),
    fields: { a: 'b' },
  }));
  await pipeline(talk, requests);
  scene.leave(talk);
};

/** As an HTTP client, a TLS client and a proxy begin. */
const otherProtocols: Act = async (scene) => {
  const talk = await scene.open(scene.somewhere());
  const start = scene.random.pick([
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.from('16030100c8010000c40303', 'hex'),
    Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'),
    Buffer.from('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a', 'hex'),
  ]);
  await within(talk.write(start));
  scene.leave(talk);
};

export const actsOfBytes: Readonly<Record<string, Act>> = {
  connectStorm,
  garbage,
  lengthLie,
  headerLie,
  flippedBytes,
  halfFrame,
  largeHalfFrames,
  slowLoris,
  cutFrames,
  closedMidFrame,
  oddHeader,
  answersToNothing,
  otherProtocols,
};
