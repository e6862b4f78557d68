// `ringmq cluster`, `config`, `bench`, `doctor` and completion against the target; servers that are not there.

import { crc32 } from 'node:zlib';
import * as assert from 'uvu/assert';
import { CommandLine } from './support/command-line.ts';
import { temporaryFolder } from './support/paths.ts';
import { freePort } from './support/ports.ts';
import { RawConnection } from './support/raw.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('command line: operations');
const ringmq = () => new CommandLine(cluster());

test('the cluster: who, where, which version', async () => {
  const { brokers, nameServers } = await ringmq().json(['cluster']);
  const { name, address } = cluster().broker;
  assert.equal(nameServers, [cluster().nameServer.address]);
  assert.is(brokers.length, 1);
  const [{ diskUsed, ...broker }] = brokers;
  assert.equal(
    [broker.name, broker.address, broker.role, broker.version],
    [name, address, 'master', 'V5_5_0'],
  );
  assert.ok(diskUsed > 0 && diskUsed < 1);
  assert.match(
    await ringmq().does(['cluster']),
    new RegExp(`^DefaultCluster +${name} +master +${address} +V5_5_0 `, 'm'),
  );
});

test('keys of the configuration are read and changed', async () => {
  const { name } = cluster().broker;
  assert.equal(await ringmq().json(['config', 'get', 'brokerName', 'fileReservedTime']), {
    [name]: { brokerName: name, fileReservedTime: '72' },
  });
  const set = ['config', 'set', 'fileReservedTime'];
  await ringmq().fails(
    [...set, '48'],
    2,
    /^With fileReservedTime at 48 hours messages older than 48 hours are lost when .*\. Nothing was done, .* add --yes/,
  );
  assert.is(await ringmq().does(['config', 'get', 'fileReservedTime']), 'fileReservedTime  72\n');
  assert.is(
    await ringmq().does([...set, '48', '--yes']),
    `${name}: fileReservedTime 72 hours -> 48 hours\nSet fileReservedTime on ${name}.\n`,
  );
  assert.is(await ringmq().does(['config', 'get', 'fileReservedTime']), 'fileReservedTime  48\n');
  assert.is(
    await ringmq().does([...set, '48']),
    `Nothing was done: fileReservedTime is 48 hours already on ${name}.\n`,
  );
  assert.equal(await ringmq().json([...set, '50']), [
    { broker: name, key: 'fileReservedTime', from: '48', to: '50', unit: 'hours' },
  ]);
  assert.is(
    await ringmq().does([...set, '48', '--yes']),
    `${name}: fileReservedTime 50 hours -> 48 hours\nSet fileReservedTime on ${name}.\n`,
  );
  await ringmq().fails(
    ['config', 'get', 'fileReservdTime'],
    1,
    /no key fileReservdTime: did you mean fileReservedTime\?/,
  );
  await ringmq().fails(['config', 'set', 'fileReservdTime', '1'], 1, /did you mean fileReservedTime\?/);
  await ringmq().fails(['config', 'set', 'fileReservedTime', 'long'], 1, /fileReservedTime/);
  assert.is(await ringmq().does(['config', 'get', 'fileReservedTime']), 'fileReservedTime  48\n');
});

test('a person is asked before a change that refuses clients', async () => {
  const line = 'config set autoCreateTopicEnable false';
  for (const [keys, code, value] of [
    ['\r', 1, 'true'],
    ['y\r', 0, 'false'],
  ] as const) {
    const terminal = ringmq().terminal(line);
    await terminal.shows(/autoCreateTopicEnable true -> false/);
    await terminal.shows(/sends to topics that do not exist are refused\.\r?\nGo on\? \[y\/N\]/);
    terminal.type(keys);
    assert.is(await terminal.ended, code, terminal.screen);
    const [held] = Object.values(await ringmq().json(['config', 'get', 'autoCreateTopicEnable']));
    assert.equal(held, { autoCreateTopicEnable: value });
  }
  await ringmq().does(['config', 'set', 'autoCreateTopicEnable', 'true']);
});

test('bench sends, receives, sums up and leaves no topic', async () => {
  const { sent, received, failed } = await ringmq().json([
    'bench',
    '--seconds',
    '1',
    '--size',
    '100',
    '--rate',
    '200',
  ]);
  assert.is(failed, 0);
  assert.ok(sent.messages > 0 && sent.messages <= 201, String(sent.messages));
  assert.is(received.messages, sent.messages);
  assert.ok(sent.ms.p50 <= sent.ms.p99 && sent.ms.p99 <= sent.ms.max);
  const topics = (await ringmq().json(['topic', 'list'])) as { name: string }[];
  assert.equal(
    topics.filter(({ name }) => name.startsWith('ringmq-bench')),
    [],
  );
  await ringmq().fails(['bench', '--size', '1'], 2, /--size 1 is not possible/);
});

interface Finding {
  what: string;
  level: string;
  found: string;
}

test('doctor looks at this machine and finds the brokers', async () => {
  const port = String(await freePort());
  const args = [
    'doctor',
    '--store',
    temporaryFolder('doctor'),
    '--port',
    port,
    '--namesrv-port',
    cluster().nameServer.address.split(':')[1] ?? '',
    '--json',
  ];
  const { out } = await ringmq().run(args);
  const findings = (JSON.parse(out) as { findings: Finding[] }).findings;
  const of = (what: string) => findings.find((finding) => finding.what === what);
  assert.is(of('Node.js')?.level, 'ok');
  assert.match(of('disk sync')?.found ?? '', /^4 KiB are durable after [\d.]+ ms/);
  const clocks = findings.filter(({ what }) => what.startsWith('clock of '));
  assert.ok(clocks.length > 0 && clocks.every(({ level }) => level === 'ok'), JSON.stringify(clocks));
  assert.equal(of("broker's port"), {
    what: "broker's port",
    level: 'ok',
    found: `port ${port} is free`,
    remedy: '',
  });
  assert.match(of("name server's port")?.found ?? '', /is served by a RocketMQ-compatible server$/);
  assert.match(
    of(`broker ${cluster().broker.name}`)?.found ?? '',
    new RegExp(`^${cluster().broker.address} answers`),
  );
});

test('completion offers commands, options, topics and groups', async () => {
  await ringmq().topic('complete-me');
  await ringmq().does(['group', 'create', 'complete-group']);
  const words = async (...typed: string[]) =>
    (await ringmq().does(['__words', '--', ...typed])).trim().split('\n');
  assert.equal(await words('top'), ['topic']);
  assert.equal(await words('topic', 'sh'), ['show']);
  assert.equal(await words('topic', 'show', 'comp'), ['complete-me']);
  assert.equal(await words('topic', 'show', '--js'), ['--json']);
  assert.equal(await words('consume', 'complete-me', '--group', ''), ['complete-group']);
  assert.equal(await words('offset', 'lag', 'complete-group', 'c'), ['complete-me']);
});

test('who is not there is named, with what to do', async () => {
  const nobody = `127.0.0.1:${await freePort()}`;
  await ringmq().fails(
    ['topic', 'list', '-n', nobody],
    1,
    new RegExp(`^No name server answers at ${nobody} .*NAMESRV_ADDR\\.$`, 'm'),
  );
  await ringmq().fails(
    ['topic', 'list', '-n', 'nowhere'],
    2,
    /^nowhere is no address of a name server: give host:port/,
  );
  const both = `${nobody};${cluster().nameServer.address}`;
  assert.match(await ringmq().does(['cluster', '-n', both]), /DefaultCluster/);
});

test('by TLS', async () => {
  await ringmq().topic('sealed', '--queues', '1');
  assert.match(await ringmq().does(['cluster', '--tls']), /DefaultCluster/);
  await ringmq().does(['produce', 'sealed', '-m', 'secret', '--tls']);
  const read = ['consume', 'sealed', '--since', 'earliest', '--count', '1', '--body', '--tls'];
  assert.is(await ringmq().does(read), 'secret\n');
});

const REGISTER_BROKER = 103;

test('a broker that has registered an address that leads nowhere', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`;
  const registered = await RawConnection.open(cluster().nameServer.address);
  const dataVersion = { counter: 1, stateVersion: 0, timestamp: 1 };
  const topicConfigSerializeWrapper = { topicConfigTable: {}, dataVersion };
  const body = Buffer.from(JSON.stringify({ filterServerList: [], topicConfigSerializeWrapper }));
  const ext = {
    brokerName: 'lost',
    brokerAddr: nowhere,
    clusterName: 'DefaultCluster',
    haServerAddr: nowhere,
    brokerId: 0,
    compressed: 'false',
    bodyCrc32: crc32(body) & 0x7f_ff_ff_ff,
  };
  assert.is((await registered.request({ code: REGISTER_BROKER, ext, body })).code, 0);
  try {
    const sentence = new RegExp(
      `^Broker lost is registered as ${nowhere}, where nothing answers .* set brokerIP1 `,
      'm',
    );
    await ringmq().fails(['cluster'], 1, sentence);
    const { code, out } = await ringmq().run(['doctor', '--json']);
    const findings = (JSON.parse(out) as { findings: Finding[] }).findings;
    const lost = findings.find(({ what }) => what === 'broker lost');
    assert.equal([code, lost?.level], [1, 'bad']);
    assert.match(lost?.found ?? '', new RegExp(`^registered as ${nowhere}, where nothing answers from here`));
  } finally {
    registered.destroy();
  }
});

test.run();
