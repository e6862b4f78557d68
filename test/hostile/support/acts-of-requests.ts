/** Acts made of requests: too many, too large, never read, for nobody, or with something odd in one place. */
import type { Act } from './act.ts';
import { PATIENCE_MS, pause, pipeline, smallName, within } from './act.ts';
import { batchOf, brokerRequests, nameServerRequests, TOPIC, ZIP_BOMB } from './requests.ts';
import { Talk } from './talk.ts';
import { manyKilobytes, megabytes, smallValues } from './values.ts';
import { bodyOf, variationsOf } from './variations.ts';
import { encodeRequest, type WireRequest } from './wire.ts';

/** A few messages of nearly the largest size; see `storeLargeMessages`. */
export const LARGE_TOPIC = 'hostile-large';
const LARGE_MESSAGES = 4;
const LARGE_BYTES = 4_000_000;

/** The request of the table with this code. */
export function shapeOf(code: number): { fields: Readonly<Record<string, string>>; body: Buffer } {
  const shape = [...brokerRequests, ...nameServerRequests].find((one) => one.code === code);
  return { fields: shape?.fields ?? {}, body: bodyOf(shape?.body) ?? Buffer.alloc(0) };
}

function send(topic: string, body: Buffer, more: Record<string, string> = {}): WireRequest {
  return { code: 310, fields: { ...shapeOf(310).fields, b: topic, ...more }, body };
}

function pull(topic: string, more: Record<string, string> = {}): WireRequest {
  return { code: 11, fields: { ...shapeOf(11).fields, topic, ...more } };
}

function heartbeat(clientID: string, groups: readonly string[], topics: readonly string[]): WireRequest {
  const subscriptionDataSet = topics.map((topic) => ({
    topic,
    subString: '*',
    expressionType: 'TAG',
    subVersion: 1,
  }));
  const consumerDataSet = groups.map((groupName) => ({ groupName, subscriptionDataSet }));
  return { code: 34, body: Buffer.from(JSON.stringify({ clientID, consumerDataSet })) };
}

/** Before the run, for the acts that pull what is large. */
export async function storeLargeMessages(broker: string): Promise<void> {
  const talk = await Talk.open(broker);
  for (let n = 0; n < LARGE_MESSAGES; n++) {
    const answer = await talk.ask(send(LARGE_TOPIC, Buffer.alloc(LARGE_BYTES, n)), 30_000);
    if (answer?.code !== 0) throw new Error(`a large message was not stored: ${answer?.remark}`);
  }
  talk.destroy();
}

/** One request of the table with one place filled with something odd. */
const oddPlace: Act = async (scene) => {
  const { random } = scene;
  const address = scene.somewhere();
  const shape = random.pick(address === scene.nameServer ? nameServerRequests : brokerRequests);
  const talk = await scene.open(address);
  const places = variationsOf(shape);
  const count = random.int(1, 10);
  const requests = Array.from({ length: count }, () => {
    const value = random.chance(0.05) ? random.pick(manyKilobytes) : random.pick(smallValues);
    const made = places.length > 0 ? random.pick(places).make(value) : {};
    return {
      code: shape.code,
      body: bodyOf(shape.body) ?? Buffer.alloc(0),
      ...made,
      binary: random.chance(0.5),
    };
  });
  await pipeline(talk, requests);
  await talk.until(() => talk.answers.size >= count, 500);
  scene.leave(talk);
};

const hugePlace: Act = async (scene) => {
  const { random } = scene;
  const address = scene.somewhere();
  const shape = random.pick(address === scene.nameServer ? nameServerRequests : brokerRequests);
  const places = variationsOf(shape);
  if (places.length === 0) return;
  const talk = await scene.open(address);
  const made = random.pick(places).make(random.pick(megabytes));
  await pipeline(talk, [{ code: shape.code, ...made, binary: random.chance(0.5) }]);
  await talk.until(() => talk.answers.size > 0, PATIENCE_MS);
  scene.leave(talk);
};

/** Pipelined pulls of large messages; read, read slowly, left in the middle, or never read. */
const largePulls: Act = async (scene) => {
  const talk = await scene.open(scene.broker);
  const way = scene.random.int(0, 3);
  if (way > 1) talk.socket.pause();
  const requests = Array.from({ length: scene.random.int(1, 100) }, () =>
    pull(LARGE_TOPIC, { queueOffset: String(scene.random.int(0, LARGE_MESSAGES)), maxMsgBytes: '100000000' }),
  );
  await pipeline(talk, requests);
  if (way === 0) await talk.until(() => talk.answers.size >= 2, PATIENCE_MS);
  if (way === 1) await talk.until(() => talk.socket.bytesRead > 1000, PATIENCE_MS);
  if (way === 1) talk.socket.resetAndDestroy();
  else scene.leave(talk);
};

/** Questions with large answers that nobody reads. */
const neverRead: Act = async (scene) => {
  const address = scene.somewhere();
  const talk = await scene.open(address);
  talk.socket.pause();
  const code =
    address === scene.nameServer ? scene.random.pick([206, 106, 319]) : scene.random.pick([21, 201, 43, 26]);
  await pipeline(
    talk,
    Array.from({ length: scene.random.int(10, 1000) }, () => ({ code })),
  );
  scene.leave(talk);
};

const closedMidAnswer: Act = async (scene) => {
  const talk = await scene.open(scene.broker);
  const requests = [pull(LARGE_TOPIC), { code: 21 }, { code: 28 }, { code: 43 }];
  await pipeline(talk, requests.slice(0, scene.random.int(1, 4)));
  await talk.until(() => talk.socket.bytesRead > 0, PATIENCE_MS);
  talk.socket.resetAndDestroy();
};

const manyGroups: Act = async (scene) => {
  const { random } = scene;
  const talk = await scene.open(scene.broker);
  const client = smallName(random, 'client');
  const names = (count: number, prefix: string) => [
    ...new Set(Array.from({ length: count }, () => smallName(random, prefix))),
  ];
  for (let n = random.int(1, 6); n > 0; n--) {
    await pipeline(talk, [heartbeat(client, names(30, 'hostile-group'), names(30, 'hostile'))]);
    if (random.chance(0.3)) {
      const fields = { clientID: client, consumerGroup: smallName(random, 'hostile-group') };
      await pipeline(talk, [{ code: 35, fields }]);
    }
  }
  await talk.until(() => talk.answers.size > 0, 500);
  scene.leave(talk);
};

const bombs: Act = async (scene) => {
  const { random } = scene;
  const inside = `[${Array.from({ length: 2000 }, () => '{"$ref":"$.a"}').join(',')}]`;
  const texts = [
    `{"clientID":"c","a":[1,2,3],"consumerDataSet":${inside}}`,
    `{"clientID":"c","producerDataSet":[${'{"groupName":"g"},'.repeat(50_000)}{}]}`,
    `${'['.repeat(100_000)}`,
    `{"clientID":"c","consumerDataSet":[{"groupName":"hostile-group-1","subscriptionDataSet":[{"topic":"t","subString":"${'a||'.repeat(20_000)}"}]}]}`,
    `{"topicConfigList":[${'{"topicName":"hostile-1","readQueueNums":2147483647,"writeQueueNums":2147483647},'.repeat(1000)}{}]}`,
  ];
  const talk = await scene.open(scene.broker);
  const code = random.pick([34, 41, 42, 46, 18, 200, 225]);
  await pipeline(talk, [{ code, body: Buffer.from(random.pick(texts)) }]);
  const names = await scene.open(scene.nameServer);
  const compressed = { ...shapeOf(103).fields, compressed: 'true' };
  await pipeline(names, [{ code: 103, fields: compressed, body: ZIP_BOMB }]);
  await talk.until(() => talk.answers.size > 0, 500);
  scene.leave(talk);
  scene.leave(names);
};

const topicsComeAndGo: Act = async (scene) => {
  const { random } = scene;
  const talk = await scene.open(scene.broker);
  for (let n = random.int(2, 8); n > 0 && !talk.closed; n--) {
    const topic = smallName(random);
    const make = {
      ...shapeOf(17).fields,
      topic,
      readQueueNums: String(random.int(1, 16)),
      writeQueueNums: '4',
    };
    const steps: WireRequest[] = [
      { code: 17, fields: make },
      send(topic, Buffer.from('x'), { e: String(random.int(-1, 5)) }),
      { code: 215, fields: { topic } },
      pull(topic),
      { code: 200, body: Buffer.from(JSON.stringify({ groupName: smallName(random, 'hostile-group') })) },
      { code: 207, fields: { groupName: smallName(random, 'hostile-group'), cleanOffset: 'true' } },
    ];
    await pipeline(
      talk,
      steps.filter(() => random.chance(0.6)),
    );
  }
  await talk.until(() => talk.answers.size > 2, 500);
  scene.leave(talk);
};

const oneWayFlood: Act = async (scene) => {
  const { random } = scene;
  const address = scene.somewhere();
  const talk = await scene.open(address);
  const shapes = address === scene.nameServer ? nameServerRequests : brokerRequests;
  const requests = Array.from({ length: random.int(50, 1000) }, () => {
    const { code, fields, body } = random.pick(shapes);
    return { code, fields, body: bodyOf(body) ?? Buffer.alloc(0), oneway: true, binary: random.chance(0.5) };
  });
  await pipeline(talk, requests);
  scene.leave(talk);
};

const oddMessages: Act = async (scene) => {
  const { random } = scene;
  const talk = await scene.open(scene.broker);
  const properties = [
    'KEYS\u0001a\u0000b\u0002',
    'KEYS\u0001\u0002\u0001\u0002\u0002\u0001',
    `DELAY\u0001${random.pick(['1', '0', '-1', '99', 'x', '9'.repeat(50), '1e9'])}\u0002`,
    `TAGS\u0001${'\u0001'.repeat(100)}`,
    `KEYS\u0001${'k '.repeat(15_000)}\u0002`,
    'TRAN_MSG\u0001true\u0002',
    'TIMER_DELAY_SEC\u00019\u0002',
    'UNIQ_KEY\u0001\u0002',
    'INNER_NUM\u00015\u0002WAIT\u0001maybe\u0002',
    'no separators at all',
    'x\u0001y\u0002'.repeat(8000),
  ];
  const requests = Array.from({ length: random.int(1, 20) }, () => {
    const topic = random.pick([TOPIC, smallName(random), '%RETRY%hostile-group-1', 'SCHEDULE_TOPIC_XXXX']);
    return send(topic, Buffer.alloc(random.pick([0, 1, 1000, 100_000])), {
      i: random.pick(properties),
      f: random.pick(['0', '1', '8', '255', '-1']),
      j: random.pick(['0', '16', '-1', '1000000']),
    });
  });
  await pipeline(talk, requests);
  await talk.until(() => talk.answers.size > 0, 500);
  scene.leave(talk);
};

const oddBatches: Act = async (scene) => {
  const { random } = scene;
  const talk = await scene.open(scene.broker);
  const requests = Array.from({ length: 10 }, () => {
    const one = batchOf(Buffer.from('batched'));
    const body = Buffer.concat(Array.from({ length: random.int(1, 50) }, () => one));
    for (let n = random.int(0, 3); n > 0; n--) {
      body.writeInt32BE(random.pick([0, -1, 1, 21, 2147483647, 100]), random.int(0, body.length - 4));
    }
    return { code: 320, fields: { ...shapeOf(320).fields, b: smallName(random) }, body };
  });
  await pipeline(talk, requests);
  await talk.until(() => talk.answers.size >= 10, 500);
  scene.leave(talk);
};

/** Pulls that wait, in numbers, from clients that leave. */
const parkedPulls: Act = async (scene) => {
  const { random } = scene;
  const talk = await scene.open(scene.broker);
  const requests = Array.from({ length: random.int(1, 500) }, () =>
    pull(smallName(random), {
      queueOffset: '999',
      sysFlag: '7',
      suspendTimeoutMillis: '30000',
      queueId: '0',
    }),
  );
  await pipeline(talk, requests);
  await pause(random.int(0, 50));
  scene.leave(talk);
};

const sendBacks: Act = async (scene) => {
  const { random } = scene;
  const talk = await scene.open(scene.broker);
  const requests = Array.from({ length: random.int(1, 30) }, () => ({
    code: 36,
    fields: {
      ...shapeOf(36).fields,
      offset: String(random.pick([0, 1, 1000, 4_000_000, -5])),
      group: smallName(random, 'hostile-group'),
      delayLevel: String(random.int(-2, 3)),
    },
  }));
  await pipeline(talk, requests);
  await talk.until(() => talk.answers.size > 0, 500);
  scene.leave(talk);
};

/** One client id on many connections, which take each other's place and ask each other. */
const sharedIdentity: Act = async (scene) => {
  const { random } = scene;
  const group = smallName(random, 'hostile-group');
  const talks = await Promise.all([0, 1, 2, 3].map(() => scene.open(scene.broker)));
  for (const talk of talks) await pipeline(talk, [heartbeat('shared', [group], [TOPIC])]);
  const [first] = talks as [Talk];
  const about = {
    consumerGroup: group,
    clientId: 'shared',
    topic: TOPIC,
    group,
    timestamp: '0',
    isForce: 'true',
  };
  await pipeline(
    first,
    [307, 223, 222, 203].map((code) => ({ code, fields: about })),
  );
  await first.until(() => first.frames > 1, 300);
  for (const talk of talks) scene.leave(talk);
};

/** Replies for a client that does not read, or reads and says nothing of them. */
const deafRequester: Act = async (scene) => {
  const { random } = scene;
  const [requester, replier] = await Promise.all([scene.open(scene.broker), scene.open(scene.broker)]);
  const clientID = smallName(random, 'requester');
  const producerDataSet = [{ groupName: smallName(random, 'hostile-group') }];
  await pipeline(requester, [{ code: 34, body: Buffer.from(JSON.stringify({ clientID, producerDataSet })) }]);
  await requester.until(() => requester.answers.size > 0, PATIENCE_MS);
  if (random.chance(0.5)) requester.socket.pause();
  const i = `CORRELATION_ID\u0001c\u0002REPLY_TO_CLIENT\u0001${clientID}\u0002`;
  const body = Buffer.alloc(random.pick([1, 1000, 100_000, 1_000_000]));
  const reply = { code: 325, fields: { ...shapeOf(325).fields, i }, body };
  await pipeline(
    replier,
    Array.from({ length: random.int(1, 60) }, () => reply),
  );
  await replier.until(() => replier.answers.size > 0, 300);
  scene.leave(replier);
  scene.leave(requester);
};

const registrations: Act = async (scene) => {
  const { random } = scene;
  const talk = await scene.open(scene.nameServer);
  const { fields, body } = shapeOf(103);
  for (let n = random.int(1, 10); n > 0 && !talk.closed; n--) {
    const identity = {
      brokerName: smallName(random, 'b'),
      brokerAddr: `10.0.0.${random.int(1, 30)}:1`,
      brokerId: '0',
    };
    await pipeline(talk, [
      { code: 103, fields: { ...fields, ...identity, bodyCrc32: '0' }, body },
      { code: 105, fields: { topic: TOPIC } },
      { code: random.pick([104, 904, 322, 205, 327]), fields: { ...fields, ...identity } },
      {
        code: 100,
        fields: { namespace: 'hostile', key: smallName(random), value: 'v'.repeat(random.int(0, 1000)) },
      },
    ]);
  }
  await talk.until(() => talk.answers.size > 0, 300);
  scene.leave(talk);
};

/** Both header formats by turns on one connection, so that what was learnt of one meets the other. */
const mixedFormats: Act = async (scene) => {
  const { random } = scene;
  const talk = await scene.open(scene.broker);
  const frames = Array.from({ length: 40 }, () => {
    const opaque = talk.nextOpaque();
    const request = random.chance(0.5) ? send(TOPIC, Buffer.from('mixed')) : pull(TOPIC);
    return encodeRequest(
      { ...request, binary: random.chance(0.5), version: random.pick([0, 317, 513, -1]) },
      opaque,
    );
  });
  await within(talk.write(Buffer.concat(frames)));
  await talk.until(() => talk.answers.size >= 40, 500);
  scene.leave(talk);
};

export const actsOfRequests: Readonly<Record<string, Act>> = {
  oddPlace,
  hugePlace,
  largePulls,
  neverRead,
  closedMidAnswer,
  manyGroups,
  bombs,
  topicsComeAndGo,
  oneWayFlood,
  oddMessages,
  oddBatches,
  parkedPulls,
  sendBacks,
  sharedIdentity,
  deafRequester,
  registrations,
  mixedFormats,
};
