// What a running broker tells of administrative requests and of slow steps, and how its log changes meanwhile.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { type BrokerProcess, startBrokerProcess } from '../support/broker-process.ts';
import { until } from '../support/sockets-rig.ts';

const test = suite<Rig>('log changes');

type Line = Record<string, unknown>;

interface Rig {
  directory: string;
  conf: string;
  broker: BrokerProcess;
  client: CommandClient;
}

const PATIENCE_MS = 20_000;

test.before.each(async (rig) => {
  rig.directory = mkdtempSync(join(tmpdir(), 'ringmq-log-changes-'));
  rig.conf = join(rig.directory, 'broker.conf');
  writeFileSync(rig.conf, 'ringmq.slowOperationMillis=400\n');
  const env = {
    RINGMQ_LOG_FILE: join(rig.directory, 'ringmq.log'),
    RINGMQ_LOG_LEVEL: 'info',
    RINGMQ_LOG_MAX_SIZE: '64K',
    RINGMQ_LOG_KEEP: '3',
  };
  rig.broker = await startBrokerProcess(join(rig.directory, 'store'), ['-c', rig.conf], { env });
  rig.client = new CommandClient({ address: rig.broker.broker });
});

test.after.each(async ({ directory, broker, client }) => {
  client.close();
  broker.child.kill('SIGTERM');
  assert.is(await broker.ended, 0);
  rmSync(directory, { recursive: true });
});

const logFiles = ({ directory }: Rig) =>
  readdirSync(directory)
    .filter((name) => name.startsWith('ringmq.log'))
    .sort();

function linesOf(rig: Rig): Line[] {
  const texts = logFiles(rig).map((name) => readFileSync(join(rig.directory, name), 'utf8'));
  return texts.flatMap((text) =>
    text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line),
  );
}

const withMessage = (rig: Rig, message: RegExp) =>
  linesOf(rig).filter(({ msg }) => message.test(String(msg)));

async function change({ client }: Rig, line: string): Promise<void> {
  const request = requestCommand(RequestCode.UPDATE_BROKER_CONFIG, {}, Buffer.from(`${line}\n`));
  assert.is((await client.request(request, PATIENCE_MS)).code, 0);
}

function makeTopic({ client }: Rig, topic: string, fields: Record<string, string> = {}) {
  const texts = { topic, readQueueNums: '1', writeQueueNums: '1', perm: '6', topicFilterType: 'SINGLE_TAG' };
  return client.request(
    requestCommand(RequestCode.UPDATE_AND_CREATE_TOPIC, { ...texts, ...fields }),
    PATIENCE_MS,
  );
}

test('each administrative request has a line, also one that is refused', async (rig) => {
  await makeTopic(rig, 'orders');
  assert.not((await makeTopic(rig, 'no good name')).code === 0);
  const [done] = withMessage(rig, /^audit: UPDATE_AND_CREATE_TOPIC done$/);
  assert.match(String(done?.['client']), /^127\.0\.0\.1:\d+$/);
  assert.is(JSON.parse(String(done?.['fields'])).topic, 'orders');
  const [refused] = withMessage(rig, /^audit: UPDATE_AND_CREATE_TOPIC refused$/);
  assert.match(String(refused?.['remark']), /no good name|illegal/);
});

const audits = (rig: Rig) => withMessage(rig, /^audit: UPDATE_AND_CREATE_TOPIC done$/).length;
/** Of level info, and not of the audit. */
const lives = (rig: Rig) => withMessage(rig, /^topic made$/).length;

test('the level changes while the broker runs, and is kept in its configuration', async (rig) => {
  await change(rig, 'ringmq.logLevel=warn');
  const before = lives(rig);
  await makeTopic(rig, 'quiet');
  assert.is(lives(rig), before);
  assert.is(audits(rig), 1, 'who changes something is told of at any level');
  const [by] = withMessage(rig, /^configuration changed$/);
  assert.match(
    String(by?.['changes']),
    /"ringmq\.logLevel":"warn"/,
    'who has set it is the last that it tells',
  );
  assert.is(withMessage(rig, /^audit: UPDATE_BROKER_CONFIG done$/).length, 1);
  await change(rig, 'ringmq.logLevel=');
  await makeTopic(rig, 'loud');
  assert.is(lives(rig), before + 1);
  await change(rig, 'ringmq.logLevel=error');
  assert.match(readFileSync(rig.conf, 'utf8'), /^ringmq\.logLevel=error$/m);
});

test('the audit ends when that is asked for by name, and who has asked is told', async (rig) => {
  const changes = () => withMessage(rig, /^audit: UPDATE_BROKER_CONFIG done$/).length;
  await change(rig, 'ringmq.logLevel=error');
  await change(rig, 'ringmq.auditLog=false');
  assert.is(changes(), 2);
  await makeTopic(rig, 'quiet');
  assert.is(audits(rig), 0);
  await change(rig, 'ringmq.auditLog=true');
  await makeTopic(rig, 'loud');
  assert.equal([changes(), audits(rig)], [2, 1]);
});

test('a name server in the same process changes the log only when it is told to', async (rig) => {
  const names = new CommandClient({ address: rig.broker.nameServer });
  const set = async (line: string) => {
    const request = requestCommand(RequestCode.UPDATE_NAMESRV_CONFIG, {}, Buffer.from(`${line}\n`));
    assert.is((await names.request(request, PATIENCE_MS)).code, 0);
  };
  await change(rig, 'ringmq.logLevel=error');
  await change(rig, 'ringmq.auditLog=false');
  await set('waitSecondsForService=44');
  const before = lives(rig);
  await makeTopic(rig, 'quiet');
  assert.equal([lives(rig), audits(rig)], [before, 0]);
  await set('ringmq.logLevel=info');
  await makeTopic(rig, 'loud');
  assert.equal([lives(rig), audits(rig)], [before + 1, 0]);
  await set('ringmq.auditLog=false');
  await set('ringmq.auditLog=true');
  await makeTopic(rig, 'louder');
  assert.is(audits(rig), 1);
  names.close();
});

test('its start tells what it promises, keeps and takes, and where its documentation is', async (rig) => {
  // Its first lines are held until it is ready.
  await until('the start is told', () => withMessage(rig, /^limits: /).length > 0);
  const [start] = withMessage(rig, /^RingMQ starts$/);
  assert.match(readFileSync(join(String(start?.['docs']), 'logging.md'), 'utf8'), /^# The log/);
  const [promise] = withMessage(rig, /^an acknowledged message survives/);
  assert.equal([promise?.['flushDiskType'], promise?.['flushIntervalCommitLog']], ['ASYNC_FLUSH', 500]);
  const [limits] = withMessage(rig, /^limits: /);
  assert.equal([limits?.['maxMessageSize'], limits?.['fileReservedTime']], [4_194_304, 72]);
});

test('a process that stood still says so, thread by thread', async (rig) => {
  rig.broker.child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  rig.broker.child.kill('SIGCONT');
  await until('both have told', () => withMessage(rig, /^slow step: (control|network)$/).length >= 2);
  const [control] = withMessage(rig, /^slow step: control$/);
  assert.ok(Number(control?.['ms']) > 400, `${control?.['ms']}`);
  assert.match(String(withMessage(rig, /^slow step: network$/)[0]?.['thread']), /^network/);
});

test('a log that has become large is renamed, and only so many are kept', async (rig) => {
  const body = (i: number) => ({ attributes: '', name: 'x'.repeat(4_000), i: String(i) });
  // Of each outcome so many lines are written in ten seconds.
  const nameOf = (i: number) => (i % 2 === 0 ? `t${i % 50}` : 'no good name');
  for (let i = 0; logFiles(rig).length < 4 && i < 2_000; i++) await makeTopic(rig, nameOf(i), body(i));
  const before = readFileSync(join(rig.directory, 'ringmq.log.3'), 'utf8');
  for (let i = 0; i < 2_000 && readFileSync(join(rig.directory, 'ringmq.log.3'), 'utf8') === before; i++)
    await makeTopic(rig, nameOf(i), body(i));
  assert.equal(logFiles(rig), ['ringmq.log', 'ringmq.log.1', 'ringmq.log.2', 'ringmq.log.3']);
  assert.ok(linesOf(rig).length > 50);
});

test.run();
