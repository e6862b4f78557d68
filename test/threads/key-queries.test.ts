/** Queries by key through a whole broker: what is found comes over from its thread, and a stop waits for none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../src/protocol/command.ts';
import { decodeRecord } from '../../src/record/decode.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { sendRequest, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';

const test = suite('key queries');
const TOPIC = 'T';
const MESSAGES = 40;
const BODY_BYTES = 100_000;

function query(key: string): RemotingCommand {
  return requestCommand(RequestCode.QUERY_MESSAGE, {
    topic: TOPIC,
    key,
    maxNum: '64',
    beginTimestamp: '0',
    endTimestamp: String(Number.MAX_SAFE_INTEGER),
  });
}

/** First bytes of the bodies in an answer. */
function bodiesOf(body: Uint8Array = new Uint8Array(0)): (number | undefined)[] {
  const found: (number | undefined)[] = [];
  for (let at = 0; at < body.length; ) {
    const size = Buffer.from(body.buffer, body.byteOffset).readInt32BE(at);
    found.push(decodeRecord(Uint8Array.from(body.subarray(at, at + size)))?.body[0]);
    at += size;
  }
  return found;
}

async function withMessages(
  use: (clients: CommandClient[], broker: Awaited<ReturnType<typeof startBrokerProcess>>) => Promise<void>,
): Promise<void> {
  const store = temporaryStore();
  const broker = await startBrokerProcess(store.directory);
  const clients = [1, 2].map(() => new CommandClient({ address: broker.broker }));
  const [client] = clients as [CommandClient];
  try {
    for (let i = 0; i < MESSAGES; i++) {
      const sent = await client.request(
        sendRequest(TOPIC, 0, i % 2 === 0 ? 'even' : 'odd', Buffer.alloc(BODY_BYTES, i)),
        5_000,
      );
      assert.is(sent.code, 0, sent.remark);
    }
    await use(clients, broker);
  } finally {
    for (const one of clients) one.close();
    broker.child.kill('SIGKILL');
    await broker.ended;
    store.remove();
  }
}

test('many at once are all answered, each with its own messages, beside everything else', () =>
  withMessages(async ([client, other]) => {
    const expected = (rest: number) =>
      Array.from({ length: MESSAGES }, (_, i) => i).filter((i) => i % 2 === rest);
    const answers: Promise<void>[] = [];
    const ask = async (asking: CommandClient | undefined, key: string, rest: number) => {
      const found = await asking?.request(query(key), 30_000);
      assert.equal(bodiesOf(found?.body), expected(rest), key);
    };
    for (let i = 0; i < 40; i++) answers.push(ask(client, 'even', 0), ask(other, 'odd', 1));
    const miss = await client?.request(query('nobody'), 30_000);
    assert.is(miss?.code, ResponseCode.QUERY_NOT_FOUND);
    assert.is((await other?.request(sendRequest(TOPIC, 1, 'more', Buffer.from('x')), 5_000))?.code, 0);
    await Promise.all(answers);
  }));

test('a stop gives up what waits and is clean', () =>
  withMessages(async ([client, other], broker) => {
    const outcomes = Array.from({ length: 200 }, (_, i) =>
      (i % 2 === 0 ? client : other)?.request(query('even'), 30_000).then(
        ({ code }) => code,
        () => undefined,
      ),
    );
    const first = await outcomes[0];
    broker.child.kill('SIGTERM');
    assert.is(await broker.ended, 0, broker.log());
    assert.is(first, 0);
    const known = [0, ResponseCode.SYSTEM_BUSY, ResponseCode.SYSTEM_ERROR, undefined];
    for (const code of await Promise.all(outcomes)) assert.ok(known.includes(code), `code ${code}`);
  }));

test.run();
