// What request 25 changes is in force for the next request of whoever was answered, also in threads with copies.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  pullRequest,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const test = suite('settings that change');

const TOPIC = 'changing';
const TIMEOUT = 10_000;
const store = temporaryStore();
let broker: BrokerProcess;
let client: CommandClient;

test.before(async () => {
  broker = await startBrokerProcess(store.directory);
  client = new CommandClient({ address: broker.broker });
});
test.after(async () => {
  client.close();
  broker.child.kill('SIGKILL');
  await broker.ended;
  store.remove();
});

async function set(text: string): Promise<void> {
  const reply = await client.request(
    requestCommand(RequestCode.UPDATE_BROKER_CONFIG, {}, Buffer.from(text)),
    TIMEOUT,
  );
  assert.is(reply.code, 0, reply.remark);
}

async function sent(...properties: [string, string][]): Promise<number> {
  const key = `k${Math.random()}`;
  return (await client.request(sendRequest(TOPIC, 0, key, Buffer.from('x'), properties), TIMEOUT)).code;
}

async function traceOnInAnswer(): Promise<string | undefined> {
  const { fields } = await client.request(sendRequest(TOPIC, 0, 'traced', Buffer.from('x')), TIMEOUT);
  return fields['TRACE_ON'];
}

async function pulled(): Promise<number> {
  return (await client.request(pullRequest(TOPIC, 0, 0), TIMEOUT)).code;
}

const HALF: [string, string][] = [
  ['TRAN_MSG', 'true'],
  ['PGROUP', 'g'],
];

test('each change counts for the next request', async () => {
  assert.is(await sent(), 0);
  for (let round = 0; round < 3; round++) {
    await set('rejectTransactionMessage=true\n');
    assert.is(await sent(...HALF), ResponseCode.NO_PERMISSION);
    assert.is(await sent(), 0);
    await set('rejectTransactionMessage=false\n');
    assert.is(await sent(...HALF), 0);
    await set('brokerPermission=2\n');
    assert.is(await pulled(), ResponseCode.NO_PERMISSION);
    await set('brokerPermission=6\n');
    assert.is.not(await pulled(), ResponseCode.NO_PERMISSION);
    await set('timerMaxDelaySec=5\n');
    assert.is(await sent(['TIMER_DELAY_SEC', '9']), ResponseCode.MESSAGE_ILLEGAL);
    await set('timerMaxDelaySec=10\n');
    assert.is(await sent(['TIMER_DELAY_SEC', '9']), 0);
    for (const traceOn of ['false', 'true']) {
      await set(`traceOn=${traceOn}\n`);
      assert.is(await traceOnInAnswer(), traceOn);
    }
    const later = Date.now() + 600_000;
    await set(`startAcceptSendRequestTimeStamp=${later}\n`);
    assert.is(await sent(), ResponseCode.SERVICE_NOT_AVAILABLE);
    await set('startAcceptSendRequestTimeStamp=0\n');
    assert.is(await sent(), 0);
  }
});

test.run();
