// Two brokers that were given one name, at one name server: both say so, and when either goes the other is back.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { asObject, entriesOf } from '../../src/protocol/json-fields.ts';
import { parseRocketJson } from '../../src/protocol/rocketmq-json.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  startBrokerProcess,
  startLoneBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const test = suite('two brokers of one name');

const stores = [temporaryStore(), temporaryStore()];
const running: BrokerProcess[] = [];
test.after(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  for (const store of stores) store.remove();
});

/** The addresses that the name server has for any broker. */
async function addresses(client: CommandClient): Promise<string[]> {
  const reply = await client.request(requestCommand(RequestCode.GET_BROKER_CLUSTER_INFO), 5_000);
  const info = asObject(parseRocketJson(Buffer.from(reply.body ?? []).toString('utf8')));
  return entriesOf(info?.['brokerAddrTable']).flatMap(([, broker]) =>
    entriesOf(asObject(broker)?.['brokerAddrs']).map(([, address]) => String(address)),
  );
}

async function until(holds: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(what());
}

/** Warnings that name both. */
function warnings(broker: BrokerProcess, a: string, b: string): string[] {
  return broker
    .log()
    .split('\n')
    .filter((line) => line.includes('"level":"warn"') && line.includes(a) && line.includes(b));
}

// A registration that is due anyway comes after 30 s; what is awaited here gives up after 10 s.
test('a second one is told of by all three, and when it goes the first one is back', async () => {
  const first = await startBrokerProcess(stores[0]?.directory ?? '');
  running.push(first);
  const client = new CommandClient({ address: first.nameServer });
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const second = await startLoneBrokerProcess(stores[1]?.directory ?? '', first.nameServer);
    running.push(second);
    await until(
      async () => (await addresses(client)).join() === second.broker,
      () => 'the last one to register is not in the routes',
    );
    // The name server, which is in the first one's process, and the first broker itself; and the second one.
    for (const text of [/two brokers call themselves/, /leads clients to another broker/]) {
      await until(
        () => warnings(first, first.broker, second.broker).some((line) => text.test(line)),
        () => `the first one does not say ${text}:\n${first.log()}`,
      );
    }
    await until(
      () => warnings(second, first.broker, second.broker).some((line) => /brokerName/.test(line)),
      () => `the second one says nothing:\n${second.log()}`,
    );
    second.child.kill(signal);
    await second.ended;
    await until(
      async () => (await addresses(client)).join() === first.broker,
      () => `after ${signal} the first one is not back:\n${first.log()}`,
    );
  }
  assert.equal(await addresses(client), [first.broker]);
  client.close();
});

test.run();
