// The log alone tells what a broker did and what it needs: start, clients, topics, a full disk, a crash, a stop.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  canHaveSmallDisk,
  sendRequest,
  startBrokerProcess,
  startLoneBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';
import { until } from '../support/sockets-rig.ts';
import { readProjectFile } from '../support/source-files.ts';

const test = suite('the log tells the story');
const MIB = 1024 * 1024;

type Line = Record<string, unknown>;

/** Every line has to be a program's to read. */
function linesOf(broker: BrokerProcess): Line[] {
  const whole = broker.log().slice(0, broker.log().lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Line);
}

/** Fields that docs/logging.md does not name. */
function undocumented(broker: BrokerProcess): string[] {
  const table = readProjectFile('docs/logging.md').split('## Fields\n')[1]?.split('\n## ')[0] ?? '';
  const rows = table.split('\n').filter((row) => row.startsWith('| `'));
  const known = new Set(
    rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name)),
  );
  return [...new Set(linesOf(broker).flatMap((line) => Object.keys(line)))].filter(
    (name) => !known.has(name),
  );
}

const withMessage = (broker: BrokerProcess, message: RegExp) =>
  linesOf(broker).filter(({ msg }) => message.test(String(msg)));

/** The one line with this message. */
function theLine(broker: BrokerProcess, message: RegExp): Line {
  const found = withMessage(broker, message);
  assert.is(found.length, 1, `${message} in:\n${broker.log()}`);
  return found[0] as Line;
}

function heartbeat(group: string) {
  const body = {
    clientID: 'client-1',
    consumerDataSet: [
      {
        groupName: group,
        consumeType: 'CONSUME_PASSIVELY',
        messageModel: 'CLUSTERING',
        consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
        subscriptionDataSet: [],
        unitMode: false,
      },
    ],
    producerDataSet: [],
  };
  return requestCommand(RequestCode.HEART_BEAT, {}, Buffer.from(JSON.stringify(body)));
}

async function stop(broker: BrokerProcess): Promise<void> {
  broker.child.kill('SIGTERM');
  assert.is(await broker.ended, 0, broker.log());
  assert.equal(undocumented(broker), []);
}

test('start, topic, group, clients, an unknown topic, a crash, a recovery, a stop', async () => {
  const store = temporaryStore();
  const broker = await startBrokerProcess(store.directory);
  let second: BrokerProcess | undefined;
  const client = new CommandClient({ address: broker.broker });
  try {
    assert.is((await client.request(sendRequest('orders', 0, 'k', Buffer.from('x')), 10_000)).code, 0);
    assert.is((await client.request(heartbeat('readers'), 10_000)).code, 0);
    const unknown = sendRequest('nowhere', 0, 'k', Buffer.from('x'));
    unknown.fields['c'] = 'NO_SUCH_DEFAULT';
    assert.is((await client.request(unknown, 10_000)).code, 17);
    client.close();
    const offline = /^consumer group offline/;
    await until('all of it is told', () => withMessage(broker, offline).length > 0);
    await until('the refusal is told', () => withMessage(broker, /^sends refused/).length > 0);
    const start = theLine(broker, /^RingMQ starts$/);
    assert.equal([start['version'], start['node']], ['0.1.0', process.version]);
    assert.match(String(start['time']), /^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
    const opened = theLine(broker, /^store opened$/);
    assert.equal([opened['directory'], opened['logStart'], opened['logEnd']], [store.directory, 0, 0]);
    const registered = theLine(broker, /^registered with the name server$/);
    assert.equal([registered['nameServer'], registered['address']], [broker.nameServer, broker.broker]);
    const made = withMessage(broker, /^topic made$/).map(({ topic, request }) => [topic, request]);
    assert.equal(made, [
      ['orders', 'SEND_MESSAGE'],
      ['%RETRY%readers', 'HEART_BEAT'],
    ]);
    assert.is(theLine(broker, /^group made$/)['group'], 'readers');
    assert.is(theLine(broker, /^consumer group online/)['clientId'], 'client-1');
    const { level, reason, count, topic } = theLine(broker, /^sends refused/);
    assert.equal([level, reason, count, topic], ['warn', 'topicUnknown', 1, 'nowhere']);
    assert.equal(
      linesOf(broker).filter((line) => line['level'] === 'error'),
      [],
      'nothing that a client did is an error',
    );

    broker.child.kill('SIGKILL');
    await broker.ended;
    second = await startBrokerProcess(store.directory);
    assert.is(theLine(second, /^the last run did not stop cleanly: checking the log/)['level'], 'warn');
    const checked = theLine(second, /^the log was checked: queues and index are complete again/);
    assert.ok(Number(checked['to']) > 0, 'up to the message');
    assert.is(theLine(second, /^store opened$/)['logEnd'], checked['to']);
    await stop(second);
    const told = linesOf(second).map(({ msg }) => msg);
    assert.equal([told.indexOf('stopping') > 0, told.at(-1)], [true, 'stopped']);
    assert.ok('ms' in theLine(second, /^stopped$/));
  } finally {
    client.close();
    broker.child.kill('SIGKILL');
    second?.child.kill('SIGKILL');
    store.remove();
  }
});

test('a name server that goes and comes back', async () => {
  const stores = [temporaryStore(), temporaryStore()] as const;
  let first = await startBrokerProcess(stores[0].directory);
  const port = first.nameServer.split(':')[1] ?? '';
  const lone = await startLoneBrokerProcess(stores[1].directory, first.nameServer);
  try {
    await until('both are registered', () => withMessage(first, /^broker registered$/).length === 2);
    await stop(first);
    await until('the loss is told', () => withMessage(lone, /^cannot register/).length === 1);
    const lost = theLine(lone, /^cannot register with the name server/);
    assert.equal([lost['level'], lost['nameServer']], ['warn', first.nameServer]);
    assert.match(String(lost['reason']), /ECONNREFUSED/);
    first = await startBrokerProcess(stores[0].directory, ['--namesrv-port', port]);
    await until('the return is told', () => withMessage(lone, /^registered again after/).length === 1);
    assert.is(withMessage(lone, /^cannot register/).length, 1, lone.log());
    lone.child.kill('SIGKILL');
    await until(
      'the name server tells that it has lost one',
      () => withMessage(first, /^broker lost/).length === 1,
    );
  } finally {
    first.child.kill('SIGKILL');
    lone.child.kill('SIGKILL');
    await Promise.all([first.ended, lone.ended]);
    for (const store of stores) store.remove();
  }
});

async function fullDisk(): Promise<void> {
  const store = temporaryStore();
  const conf = temporaryStore();
  const file = join(conf.directory, 'broker.conf');
  const sizes = 'mappedFileSizeCommitLog=8388608\nmappedFileSizeConsumeQueue=6000\n';
  writeFileSync(file, `${sizes}maxHashSlotNum=500\nmaxIndexNum=2000\n`);
  const broker = await startBrokerProcess(store.directory, ['-c', file], {
    smallDisk: { directory: store.directory, megabytes: 33 },
  });
  const client = new CommandClient({ address: broker.broker });
  const send = async () => {
    const reply = await client.request(sendRequest('orders', 0, 'k', Buffer.alloc(MIB, 'b')), 20_000);
    return reply.code;
  };
  // The process's own view of its file systems.
  const filler = join('/proc', String(broker.child.pid), 'root', store.directory, 'filler');
  try {
    writeFileSync(filler, Buffer.alloc(11 * MIB));
    let refused = 0;
    for (let i = 0; i < 30; i++) {
      if ((await send()) !== 0) refused += 1;
    }
    assert.ok(refused > 10, `${refused} refused`);
    const told = () =>
      withMessage(broker, /^sends refused/)
        .map((line) => Number(line['count']))
        .reduce((sum, count) => sum + count, 0);
    await until('all refusals are told', () => told() === refused);
    const [first] = withMessage(broker, /^sends refused: there is no room on the disk/);
    assert.equal([first?.['level'], first?.['reason']], ['error', 'noRoom']);
    const shortage = theLine(broker, /^finding room for the CommitLog has to wait: there is no room/);
    assert.equal([shortage['level'], shortage['reason']], ['error', 'ENOSPC']);
    rmSync(filler);
    await until('sends are taken again', async () => (await send()) === 0);
    const again = /^finding room for the CommitLog goes on/;
    await until('so the log says', () => withMessage(broker, again).length > 0);
    assert.is(theLine(broker, again)['level'], 'info');
    await stop(broker);
  } finally {
    client.close();
    broker.child.kill('SIGKILL');
    store.remove();
    conf.remove();
  }
}

// A disk of its own needs a system that lets processes have mounts of their own.
const onSmallDisk = canHaveSmallDisk() ? test : test.skip;
onSmallDisk('a full disk: the log says why sends fail, and that they are taken again', fullDisk);

test.run();
