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

test.run();
