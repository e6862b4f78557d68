// Requests about pops that no client makes: each is answered, and those of others go on.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../src/index.ts';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { temporaryStore } from '../support/broker-process.ts';
import { PopClient } from '../support/pop-client.ts';

const test = suite('bad requests about pops');
const LARGEST_QUEUE = 0x7f_ff_ff_ff;

async function withClient(run: (client: PopClient) => Promise<void>): Promise<void> {
  const broker = await startBroker({ topics: ['T'] });
  const client = new PopClient(broker.broker, 'T', 'G');
  try {
    await client.send('first');
    assert.is((await client.pop()).length, 1);
    await run(client);
    await client.send('last');
    assert.equal(
      (await client.pop()).map(({ body }) => body),
      ['last'],
      'others are served',
    );
  } finally {
    client.close();
    await broker.close();
  }
}

function acksOf(client: PopClient, more: object, count = 1) {
  const ack = { c: 'G', t: 'T', r: '0', so: 0, q: 0, rq: 0, pt: 1, it: 60_000, b: bits(1), ...more };
  const body = Buffer.from(JSON.stringify({ brokerName: 'b', acks: Array(count).fill(ack) }));
  return client.request(RequestCode.BATCH_ACK_MESSAGE, {}, body);
}

/** Java's BitSet of the first `bytes` times eight. */
function bits(bytes: number): string {
  return Buffer.alloc(bytes, 0xff).toString('base64');
}

test('an ack in order may name any queue', () =>
  withClient(async (client) => {
    const queue = { q: LARGEST_QUEUE, rq: 999, b: Buffer.from([1]).toString('base64') };
    assert.is((await acksOf(client, queue)).code, ResponseCode.SUCCESS);
  }));

test('a file may hold an offset of any queue', async () => {
  const { directory, remove } = temporaryStore();
  mkdirSync(join(directory, 'config'), { recursive: true });
  const file = join(directory, 'config/consumerOffset.json');
  writeFileSync(file, `{"offsetTable":{"T@G":{0:1,${LARGEST_QUEUE}:5}}}`);
  const broker = await startBroker({ store: directory, topics: ['T'] });
  const client = new PopClient(broker.broker, 'T', 'G');
  try {
    for (const body of ['a', 'b']) await client.send(body);
    assert.equal(
      (await client.pop()).map(({ body }) => body),
      ['b'],
    );
  } finally {
    client.close();
    await broker.close();
    remove();
  }
});

test('an ack of more messages than a pop brings is refused', () =>
  withClient(async (client) => {
    for (let i = 0; i < 40; i++) await client.send(`more ${i}`);
    await client.pop();
    await client.pop();
    const { code, remark = '' } = await acksOf(client, { b: bits(40_000) });
    assert.is(code, ResponseCode.NO_MESSAGE);
    assert.match(remark, /MAX_ACKED_TOGETHER/);
    assert.is((await acksOf(client, { b: bits(4) }, 500)).code, ResponseCode.SUCCESS);
  }));

test('an attempt id may not be longer than any that there is', () =>
  withClient(async (client) => {
    for (const code of [RequestCode.POP_MESSAGE, RequestCode.NOTIFICATION]) {
      const more = { order: 'true', attemptId: '\u0001'.repeat(256) };
      const answer = await client.request(code, client.popFields(more));
      assert.is(answer.code, ResponseCode.INVALID_PARAMETER);
      assert.match(answer.remark ?? '', /MAX_ATTEMPT_ID/);
    }
  }));

test('a receipt changes the time of its own messages only', () =>
  withClient(async (client) => {
    for (const body of ['a', 'b']) await client.send(body);
    const [popped] = await client.pop({ maxMsgNums: '1' });
    const other = { ...(popped as NonNullable<typeof popped>), offset: '2' };
    assert.is((await client.change(other, 30_000)).code, ResponseCode.NO_MESSAGE);
    assert.is((await client.pop()).length, 1);
  }));

test('a receipt from the far future keeps nothing away', () =>
  withClient(async (client) => {
    await client.send('a');
    const [popped] = await client.pop();
    const message = popped as NonNullable<typeof popped>;
    const extraInfo = message.extraInfo.replace(/ \d{13} /, ` ${Number.MAX_SAFE_INTEGER - 1} `);
    const changed = await client.change({ ...message, extraInfo }, 1_000);
    assert.is(changed.code, 0);
    assert.ok(Number(changed.fields['popTime']) < 2 * Number(message.extraInfo.split(' ')[1]));
    while ((await client.pop({ pollTime: '5000' })).length === 0);
  }));

test.run();
