// A store that a broker has written and closed is explained file by file: each has its format, everything in it is
// known, nothing is wrong, and each message is found in queue and index. So the tables are held against real bytes, of
// Apache RocketMQ 5.5.0 and of RingMQ.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { dumpStore } from '../../src/cli/log/dump.ts';
import { readOnlyDisk } from '../../src/store/disk/read-only-disk.ts';
import { dispatched } from './scenarios/transacting.ts';
import { stopEverything } from './support/program.ts';
import { RawConnection, send } from './support/raw.ts';
import { newUniqueKey } from './support/raw-producer.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import { encodeProperties } from './support/records.ts';
import { startRingBroker } from './support/ringmq.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('explained store');
const TOPIC = 'explained';
const UPDATE_CONSUMER_OFFSET = 15;
const COMPRESSED = 1;
const MESSAGES = 40;

type Line = Record<string, unknown> & {
  explains?: { title: string };
  explained?: { name: string; meaning: string }[];
  damage?: { at: number; text: string }[];
};

function explained(root: string, options: object): Line[] {
  let text = '';
  dumpStore(readOnlyDisk, root, { explain: true, json: true, limit: 5, ...options }, (part) => {
    text += part;
  });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** totalSize, magic, bodyCrc, flag, body and properties of each message, as clients send them in one request. */
function batchBody(bodies: readonly string[]): string {
  const parts = bodies.map((body) => {
    const properties = encodeProperties({ UNIQ_KEY: newUniqueKey(), TAGS: 'b' });
    const bytes = Buffer.alloc(20 + body.length + 2 + properties.length);
    bytes.writeInt32BE(bytes.length, 0);
    bytes.writeInt32BE(body.length, 16);
    bytes.write(body, 20);
    bytes.writeInt16BE(properties.length, 20 + body.length);
    bytes.write(properties, 22 + body.length, 'latin1');
    return bytes.toString('latin1');
  });
  return parts.join('');
}

async function fill(connection: RawConnection): Promise<{ key: string; id: string }[]> {
  const sent: { key: string; id: string }[] = [];
  const put = async (
    fields: Record<string, string | number>,
    properties: Record<string, string | number>,
    body?: string,
  ) => {
    const key = newUniqueKey();
    const all = encodeProperties({
      UNIQ_KEY: key,
      KEYS: `k${sent.length % 7} all`,
      TAGS: 'a',
      ...properties,
    });
    const { code, remark, extFields } = await connection.request(
      send(TOPIC, { ...fields, properties: all }, body),
    );
    assert.is(code, 0, remark);
    sent.push({ key, id: String(extFields?.['msgId']) });
  };
  for (let i = 0; i < MESSAGES; i++) await put({ queueId: i % 4 }, {}, `message ${i}`);
  await put({ sysFlag: COMPRESSED }, {}, 'not really');
  await put({}, { DELAY: 1 });
  await put({}, { TIMER_DELAY_MS: 60_000 });
  const batch = send(TOPIC, { batch: 'true', properties: '' }, batchBody(['one', 'two', 'three']));
  const { code, remark } = await connection.request(batch);
  assert.is(code, 0, remark);
  const ext = { consumerGroup: 'explained-group', topic: TOPIC, queueId: 1, commitOffset: 3 };
  await connection.request({ code: UPDATE_CONSUMER_OFFSET, ext });
  await dispatched(connection);
  // Timers and delay levels put what they have taken over into their files.
  await sleep(3_000);
  return sent;
}

for (const [name, start] of [
  ['RocketMQ', startRealBroker],
  ['RingMQ', startRingBroker],
] as const)
  test(`of ${name}: each file of it, and each message`, () => check(start));

async function check(start: typeof startRealBroker): Promise<void> {
  const nameServer = await startRealNameServer();
  try {
    const conf = {
      mappedFileSizeCommitLog: 8 * 1024 * 1024,
      messageDelayLevel: '1s 1h',
      maxHashSlotNum: 500,
      maxIndexNum: 2000,
    };
    const broker = await start(nameServer.address, { conf });
    const connection = await RawConnection.open(broker.address);
    const sent = await fill(connection);
    connection.destroy();
    await broker.stop();
    const lines = explained(broker.store, {});
    const wrong = lines.flatMap(({ file, damage = [] }) =>
      damage.map(({ at, text }) => `${file} ${at}: ${text}`),
    );
    assert.equal(wrong, []);
    const unknown = lines.flatMap(({ file, explained: fields = [] }) =>
      fields.filter(({ meaning }) => /not known here/.test(meaning)).map(({ name }) => `${file}: ${name}`),
    );
    assert.equal(unknown, []);
    const titles = new Set(lines.map(({ explains }) => explains?.title).filter(Boolean));
    for (const title of [
      'CommitLog',
      'ConsumeQueue',
      'Index',
      'Checkpoint',
      'Timer wheel',
      'Timer log',
      'topics.json',
    ])
      assert.ok(titles.has(title), `${title} is among ${[...titles].join(', ')}`);
    for (const { id, key } of sent.slice(0, MESSAGES)) {
      const byId = explained(broker.store, { at: id });
      assert.is(byId.flatMap(({ damage = [] }) => damage).length, 0, JSON.stringify(byId));
      assert.is(byId.find(({ what }) => what === 'record')?.['property UNIQ_KEY'], key);
      assert.is(
        byId.filter(({ whose }) => whose === 'this message').length,
        4,
        'its own key, two others, its tag',
      );
      assert.equal(explained(broker.store, { at: key }), byId);
    }
  } finally {
    await stopEverything();
  }
}

test.run();
