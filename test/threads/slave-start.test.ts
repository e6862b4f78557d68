// A slave is told by its first registration where its master is, while its threads come up: it follows then, and not
// with the next registration half a minute later. What is awaited here gives up before that.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  sendRequest,
  startBrokerProcess,
  startLoneBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';
import { until } from '../support/sockets-rig.ts';

const test = suite('start of a slave');

const stores = [temporaryStore(), temporaryStore()] as const;
const running: BrokerProcess[] = [];
test.after(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  for (const store of stores) store.remove();
});

function configuration(directory: string, ...lines: string[]): string[] {
  const path = join(directory, 'broker.conf');
  const common = ['brokerName=pair', 'mappedFileSizeCommitLog=8388608', 'maxHashSlotNum=500'];
  writeFileSync(path, [...common, ...lines, ''].join('\n'));
  return ['-c', path];
}

test('it follows a master that has no message yet, and both go on', async () => {
  const [{ directory: masters }, { directory: slaves }] = stores;
  const master = await startBrokerProcess(
    join(masters, 'store'),
    configuration(masters, 'brokerRole=SYNC_MASTER', 'haListenPort=0'),
  );
  running.push(master);
  const slave = await startLoneBrokerProcess(
    join(slaves, 'store'),
    master.nameServer,
    configuration(slaves, 'brokerRole=SLAVE', 'brokerId=1'),
  );
  running.push(slave);
  await until('the slave to follow', () => slave.log().includes('this slave follows its master'));
  assert.not.match(master.log(), /a slave is no longer fed/);
});

test('what a slave leaves to its master is refused with the reason, and the audit sees who asked', async () => {
  const [, slave] = running as [BrokerProcess, BrokerProcess];
  const client = new CommandClient({ address: slave.broker });
  const ask = (code: number, fields: Record<string, string>) =>
    client.request(requestCommand(code, fields), 10_000);
  try {
    const topic = {
      topic: 'made-here',
      defaultTopic: 'TBW102',
      readQueueNums: '4',
      writeQueueNums: '4',
      perm: '6',
    };
    const made = await ask(RequestCode.UPDATE_AND_CREATE_TOPIC, { ...topic, topicFilterType: 'SINGLE_TAG' });
    assert.is(made.code, ResponseCode.NO_PERMISSION);
    assert.match(made.remark ?? '', 'from slave broker');
    const popped = await ask(RequestCode.POP_MESSAGE, { topic: 'made-here', consumerGroup: 'g' });
    assert.is(popped.code, ResponseCode.SERVICE_NOT_AVAILABLE);
    assert.match(popped.remark ?? '', 'send to its master');
  } finally {
    client.close();
  }
  await until('the audit to tell of the topic', () =>
    slave.log().includes('audit: UPDATE_AND_CREATE_TOPIC refused'),
  );
});

test('a purge of the master is one of the slave too', async () => {
  const [master, slave] = running as [BrokerProcess, BrokerProcess];
  const clients = [master, slave].map(({ broker }) => new CommandClient({ address: broker }));
  const [atMaster, atSlave] = clients as [CommandClient, CommandClient];
  const offsetAtSlave = async (code: number) => {
    const { fields } = await atSlave.request(requestCommand(code, { topic: 'P', queueId: '0' }), 10_000);
    return Number(fields['offset']);
  };
  try {
    await until('the slave to count', async () => {
      const status = await atMaster.request(requestCommand(RequestCode.GET_BROKER_HA_STATUS, {}), 10_000);
      return JSON.parse(Buffer.from(status.body ?? []).toString()).inSyncSlaveNums === 1;
    });
    for (let i = 0; i < 20; i++) {
      const sent = sendRequest('P', 0, `key-${i}`, Buffer.from('x'));
      assert.is((await atMaster.request(sent, 10_000)).code, ResponseCode.SUCCESS);
    }
    await until('the slave to have the messages', async () => {
      return (await offsetAtSlave(RequestCode.GET_MAX_OFFSET)) === 20;
    });
    assert.is(await offsetAtSlave(RequestCode.GET_MIN_OFFSET), 0);
    const purged = await atMaster.request(requestCommand(RequestCode.PURGE_TOPIC, { topic: 'P' }), 10_000);
    assert.is(purged.code, ResponseCode.SUCCESS, purged.remark);
    await until('the slave to have purged them', async () => {
      return (await offsetAtSlave(RequestCode.GET_MIN_OFFSET)) === 20;
    });
  } finally {
    for (const client of clients) client.close();
  }
});

test.run();
