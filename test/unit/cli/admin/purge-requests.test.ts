// What a purge of several brokers asks of them, and what it tells when one refuses.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../../../src/cli/admin/failure.ts';
import { messagesOf, purgeAll, purgesOf } from '../../../../src/cli/admin/purge-requests.ts';
import type { Question, Servers } from '../../../../src/cli/admin/servers.ts';
import { ResponseCode } from '../../../../src/protocol/codes.ts';
import { requestCommand, responseTo } from '../../../../src/protocol/command.ts';

const test = suite('purge requests');

const QUEUE = { queueId: 0, minOffset: 5, maxOffset: 5, messages: 5 };
const BROKERS = ['broker-a', 'broker-b', 'broker-c'].map((broker) => ({
  broker,
  address: `${broker}:10911`,
  queues: [QUEUE],
}));

/** Servers of which each answers by its address; every question is told. */
function serversOf(answer: (address: string) => { code: number; body?: Uint8Array }) {
  const told: string[] = [];
  const ask = async (address: string, { fields = {} }: Question) => {
    told.push(`${address} ${fields['topic']} ${fields['dryRun']}`);
    const { code, body } = answer(address);
    const reply = responseTo(requestCommand(0, {}), code);
    return body === undefined ? reply : { ...reply, body };
  };
  return { servers: { ask } as unknown as Servers, told };
}

const purged = { code: 0, body: Buffer.from(JSON.stringify({ topic: 'orders', queues: [QUEUE] })) };

test('a broker that does not know the request cannot purge; nothing is done while that is asked', async () => {
  const { servers, told } = serversOf((address) =>
    address.startsWith('broker-b') ? { code: ResponseCode.REQUEST_CODE_NOT_SUPPORTED } : purged,
  );
  const parts = BROKERS.map((broker) => ({ ...broker, isMaster: true })) as never;
  const plan = await purgesOf(servers, 'orders', parts);
  assert.equal(
    plan.map(({ queues }) => queues?.length),
    [1, undefined, 1],
  );
  assert.is(messagesOf(plan), 10);
  assert.ok(told.every((line) => line.endsWith(' orders true')));
});

test('when one refuses, the failure says on which the topic was purged before', async () => {
  const { servers, told } = serversOf((address) => {
    if (address.startsWith('broker-c')) throw new Failure('Broker broker-c refused to purge topic orders.');
    return purged;
  });
  const failure = await purgeAll(servers, 'orders', BROKERS).catch((error) => error);
  assert.instance(failure, Failure);
  assert.is(
    failure.message,
    'Broker broker-c refused to purge topic orders. Purged orders on broker-a, broker-b before that.',
  );
  assert.equal(told, [
    'broker-a:10911 orders false',
    'broker-b:10911 orders false',
    'broker-c:10911 orders false',
  ]);
});

test.run();
