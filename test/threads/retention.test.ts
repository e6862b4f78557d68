// Expired files go, the queues' minima follow, and what is left is served.

import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../src/index.ts';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { pullRequest, sendRequest, untilQueueHolds } from '../support/broker-process.ts';

const test = suite('retention');
const BODY = Buffer.alloc(64 * 1024, 'x');
const MESSAGES = 700; // 64 KiB each: three files of 16 MiB are full

async function offsetOf(client: CommandClient, code: number): Promise<number> {
  const reply = await client.request(requestCommand(code, { topic: 'old', queueId: '0' }), 5_000);
  return Number(reply.fields['offset']);
}

test('expired files are deleted, minima follow, later messages stay readable', async () => {
  const broker = await startBroker({
    storeOptions: { fileReservedTime: 1, mappedFileSizeConsumeQueue: 20 * 100 },
  });
  const client = new CommandClient({ address: broker.broker });
  const log = join(broker.store, 'commitlog');
  for (let i = 0; i < MESSAGES; i++) {
    const reply = await client.request(sendRequest('old', 0, `key-${i}`, BODY), 5_000);
    assert.is(reply.code, 0, reply.remark);
  }
  await untilQueueHolds(client, 'old', 0, MESSAGES);
  const before = readdirSync(log).length;
  // All but the file in use were written two hours ago.
  const long = new Date(Date.now() - 2 * 3_600_000);
  for (const name of readdirSync(log).sort().slice(0, -1)) utimesSync(join(log, name), long, long);
  assert.ok(before >= 3);
  assert.is(await offsetOf(client, RequestCode.GET_MIN_OFFSET), 0);
  const cleaned = await client.request(requestCommand(RequestCode.DELETE_EXPIRED_COMMITLOG), 10_000);
  assert.is(cleaned.code, 0);
  assert.is(readdirSync(log).length, 1, 'only the file in use is left');
  const minimum = await offsetOf(client, RequestCode.GET_MIN_OFFSET);
  assert.ok(minimum > 0 && minimum < MESSAGES, `minimum ${minimum}`);
  assert.is(await offsetOf(client, RequestCode.GET_MAX_OFFSET), MESSAGES);
  const first = readdirSync(join(broker.store, 'consumequeue', 'old', '0')).sort()[0];
  assert.ok(Number(first) / 20 > minimum - 100, 'queue files before the minimum are gone');
  const tooOld = await client.request(pullRequest('old', 0, 0), 5_000);
  assert.is(tooOld.code, ResponseCode.PULL_OFFSET_MOVED);
  assert.is(Number(tooOld.fields['nextBeginOffset']), minimum);
  const oldest = await client.request(pullRequest('old', 0, minimum), 5_000);
  assert.is(oldest.code, 0);
  assert.is(
    (await client.request(sendRequest('old', 0, 'after', BODY), 5_000)).fields['queueOffset'],
    String(MESSAGES),
  );
  client.close();
  await broker.close();
});

test('a half message that goes with its file is told of', async () => {
  const told: object[] = [];
  const broker = await startBroker({
    storeOptions: { fileReservedTime: 1 },
    log: {
      info: () => {},
      warn: (text, fields) => void (/not due yet/.test(text) && told.push(fields ?? {})),
      error: () => {},
    },
  });
  const client = new CommandClient({ address: broker.broker });
  const half: [string, string][] = [
    ['TRAN_MSG', 'true'],
    ['PGROUP', 'nobody'],
  ];
  assert.is((await client.request(sendRequest('old', 0, 'half', BODY, half), 5_000)).code, 0);
  for (let i = 0; i < MESSAGES; i++)
    assert.is((await client.request(sendRequest('old', 0, `key-${i}`, BODY), 5_000)).code, 0);
  await untilQueueHolds(client, 'old', 0, MESSAGES);
  const log = join(broker.store, 'commitlog');
  const long = new Date(Date.now() - 2 * 3_600_000);
  for (const name of readdirSync(log).sort().slice(0, -1)) utimesSync(join(log, name), long, long);
  const cleaned = await client.request(requestCommand(RequestCode.DELETE_EXPIRED_COMMITLOG), 10_000);
  assert.is(cleaned.code, 0);
  // Each file that goes may hold it or one that came later.
  const topics = new Set(told.map((fields) => (fields as { topic?: string }).topic));
  assert.equal(topics, new Set(['RMQ_SYS_TRANS_HALF_TOPIC']));
  client.close();
  await broker.close();
});

test.run();
