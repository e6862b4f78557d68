/** Control's own puts: none before the topics are on the device, all in their order. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { putInSavedTopics } from '../../../src/broker/put-in-saved-topics.ts';
import { MAX_PUT_BYTES } from '../../../src/lib/limits.ts';
import { TopicTable } from '../../../src/metadata/topics.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import type { PutMessage } from '../../../src/store/put/put-message.ts';
import { FakeTime, temporaryDirectory, testSettings } from '../metadata/support.ts';
import { message } from './support.ts';

const test = suite('puts in saved topics');

interface Rig {
  directory: string;
  topics: TopicTable;
  put: PutMessage;
  /** Bodies that were put, and whether topics.json knew their topic then. */
  done: [body: string, known: boolean][];
}

function rig(): Rig {
  const directory = temporaryDirectory();
  const topics = new TopicTable(directory, testSettings(), new FakeTime());
  const done: [string, boolean][] = [];
  const knows = (topic: string) => {
    try {
      return readFileSync(join(directory, 'topics.json'), 'utf8').includes(topic);
    } catch {
      return false;
    }
  };
  const put = putInSavedTopics(topics, async ({ body, topic }) => {
    done.push([Buffer.from(body).toString(), knows(topic)]);
    return { status: 0, remark: undefined, queueOffset: 0, physicalOffset: 0 };
  });
  return { directory, topics, put, done };
}

function to(topic: string, body: string) {
  return { ...message(), topic, body: Buffer.from(body) };
}

test('what is put into a topic that was just made waits for it, and what comes later stays behind', async () => {
  const { directory, topics, put, done } = rig();
  topics.createInternal('%RETRY%g', 1);
  const first = put(to('%RETRY%g', 'a'));
  const second = put(to('%RETRY%g', 'b'));
  assert.equal(done, []);
  await topics.saved();
  const third = put(to('%RETRY%g', 'c'));
  const results = await Promise.all([first, second, third]);
  assert.equal(
    results.map(({ status }) => status),
    [0, 0, 0],
  );
  assert.equal(done, [
    ['a', true],
    ['b', true],
    ['c', true],
  ]);
  void put(to('%RETRY%g', 'd'));
  assert.is(done.at(-1)?.[0], 'd', 'at once when nothing is to be saved');
  rmSync(directory, { recursive: true });
});

test('topics that cannot be saved are tried again by the next put', async () => {
  const { directory, topics, put, done } = rig();
  // Not even root can write a file whose place a directory has.
  const inTheWay = join(directory, 'topics.json.tmp');
  mkdirSync(inTheWay);
  topics.createInternal('%DLQ%g', 1);
  const refused = await put(to('%DLQ%g', 'a'));
  assert.is(refused.status, ResponseCode.SYSTEM_ERROR);
  assert.match(refused.remark ?? '', /the topics cannot be saved: EISDIR/);
  assert.is((await put(to('%DLQ%g', 'b'))).status, ResponseCode.SYSTEM_ERROR);
  rmSync(inTheWay, { recursive: true });
  assert.is((await put(to('%DLQ%g', 'c'))).status, 0);
  assert.equal(done, [['c', true]]);
  rmSync(directory, { recursive: true });
});

test('what waits is bounded', async () => {
  const { directory, topics, put } = rig();
  topics.createInternal('%RETRY%g', 1);
  const half = 'x'.repeat(MAX_PUT_BYTES / 2 + 1);
  const waiting = [put(to('%RETRY%g', half)), put(to('%RETRY%g', half))];
  const refused = await put(to('%RETRY%g', 'one more'));
  assert.is(refused.status, ResponseCode.SYSTEM_BUSY);
  assert.match(refused.remark ?? '', /MAX_PUT_BYTES/);
  assert.equal(
    (await Promise.all(waiting)).map(({ status }) => status),
    [0, 0],
  );
  rmSync(directory, { recursive: true });
});

test.run();
