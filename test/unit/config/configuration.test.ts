import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { brokerKeys } from '../../../src/config/broker-keys.ts';
import { readValue } from '../../../src/config/key.ts';
import { LiveProperties } from '../../../src/config/live-properties.ts';
import {
  type BrokerFlags,
  defaultValues,
  isSameServer,
  type LoadedBroker,
  loadBroker,
} from '../../../src/config/load.ts';
import { loadNameServer } from '../../../src/config/load-namesrv.ts';
import { keysOf } from '../../../src/config/unsupported.ts';
import { unsupportedGroups } from '../../../src/config/unsupported-keys.ts';
import { ENGINE_LAYOUTS } from '../../../src/threads/engine-layout.ts';

interface Context {
  directory: string;
  file: string;
  load(text: string, flags?: BrokerFlags): LoadedBroker;
}

const test = suite<Context>('configuration');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-conf-'));
  context.file = join(context.directory, 'broker.conf');
  context.load = (text, flags = {}) => {
    writeFileSync(context.file, text);
    return loadBroker({ config: context.file, ...flags });
  };
});

test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

test('every setting, store option and listener option has its key', () => {
  const values = defaultValues();
  const { settings, store, listener } = values;
  const places = { settings, store, listener };
  for (const [place, fields] of Object.entries(places)) {
    for (const field of Object.keys(fields)) {
      const found = [...brokerKeys.values()].filter((key) => key.place === place && key.field === field);
      assert.is(found.length, 1, `${place}.${field}`);
    }
  }
});

test('every default is a value that its key takes', () => {
  const values = defaultValues();
  for (const key of brokerKeys.values()) {
    const value = readValue(values, key);
    assert.equal(key.parse(String(value)), value, key.name);
  }
});

test('no key is both supported and unsupported, none is listed twice', () => {
  const names = [...brokerKeys.keys(), ...unsupportedGroups.flatMap(keysOf).map((key) => key.name)];
  assert.equal(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  );
});

test('with nothing configured everything stays on this machine', () => {
  const { values, warnings } = loadBroker({});
  assert.is(values.listener.bindAddress, '127.0.0.1');
  assert.is(values.settings.brokerIP1, '127.0.0.1');
  assert.is(values.settings.listenPort, 10911);
  assert.match(values.store.directory, /\/store$/);
  assert.equal(warnings, []);
});

test('keys of all types from a file, the command line wins', ({ load }) => {
  const text = [
    '# a broker',
    'brokerName = broker-b',
    'flushDiskType=sync_flush',
    'autoCreateTopicEnable:FALSE',
    'maxMessageSize 1024',
    'messageDelayLevel=1s \\',
    '   2m',
    'listenPort=5000',
    'storePathRootDir=/from/file',
    'mappedFileSizeConsumeQueue=1001',
  ].join('\n');
  const { values } = load(text, { port: '0', store: '/from/flag' });
  assert.is(values.settings.brokerName, 'broker-b');
  assert.is(values.store.flushDiskType, 'SYNC_FLUSH');
  assert.is(values.settings.autoCreateTopicEnable, false);
  assert.is(values.store.maxMessageSize, 1024);
  assert.is(values.settings.messageDelayLevel, '1s 2m');
  assert.is(values.settings.listenPort, 0);
  assert.is(values.store.directory, '/from/flag');
  assert.is(values.store.commitLogDirectory, '/from/flag/commitlog');
  assert.is(values.store.mappedFileSizeConsumeQueue, 1020);
});

test('where it listens and what it tells clients', ({ load }) => {
  const listens = (text: string, flags?: BrokerFlags) => {
    const { listener, settings } = load(text, flags).values;
    return [listener.bindAddress, settings.brokerIP1];
  };
  assert.equal(listens('brokerIP1=192.0.2.7'), ['0.0.0.0', '192.0.2.7']);
  assert.equal(listens('brokerIP1=127.0.0.1'), ['127.0.0.1', '127.0.0.1']);
  assert.equal(listens('brokerIP1=192.0.2.7\nbindAddress=192.0.2.8'), ['192.0.2.8', '192.0.2.7']);
  assert.equal(listens('', { host: '192.0.2.9' }), ['192.0.2.9', '192.0.2.9']);
  assert.equal(listens('bindAddress=192.0.2.8', { host: '127.0.0.1' }), ['127.0.0.1', '127.0.0.1']);
  assert.equal(listens('brokerIP1=127.0.0.2'), ['127.0.0.2', '127.0.0.2']);
  assert.equal(listens('brokerIP1=::1'), ['::1', '::1']);
  assert.equal(listens('brokerIP1=[::1]\nbindAddress=127.0.0.1'), ['127.0.0.1', '::1']);
  assert.equal(listens('brokerIP1=2001:db8::1'), ['::', '2001:db8::1']);
  assert.equal(listens('brokerIP1=localhost'), ['127.0.0.1', 'localhost']);
  assert.equal(listens('', { host: 'localhost' }), ['localhost', 'localhost']);
  assert.equal(listens('brokerIP1=my_broker'), ['0.0.0.0', 'my_broker']);
  assert.equal(listens('brokerIP1=[2001:db8::1]\nbindAddress=::'), ['::', '2001:db8::1']);
  const [bind, told] = listens('bindAddress=0.0.0.0');
  assert.is(bind, '0.0.0.0');
  assert.is.not(told, '0.0.0.0');
});

test('keys without effect are named, each once, but not when they repeat the default', ({ load }) => {
  const { warnings } = load(
    'slaveReadEnable=false\nnothing.like.it=x\nsendMessageThreadPoolNums=4\nasyncSendEnable=false\nringmq.x=1\n',
  );
  assert.is(warnings.length, 4, warnings.join('\n'));
  assert.match(warnings[0] ?? '', /^nothing\.like\.it=x has no effect: RocketMQ 5\.5\.0 has no such key\.$/);
  assert.match(warnings[1] ?? '', /^sendMessageThreadPoolNums=4 has no effect: .* ringmq\.networkThreads/);
  assert.match(warnings[2] ?? '', /^asyncSendEnable=false has no effect: RingMQ has a fixed set of threads/);
  assert.match(warnings[3] ?? '', /^ringmq\.x=1 has no effect: RingMQ has no such key\.$/);
});

test('bad values are refused by name, value and what is allowed', ({ load, file }) => {
  const refused: [string, RegExp][] = [
    ['listenPort=abc', /listenPort=abc is not possible: allowed is 0 to 65535\./],
    ['listenPort=70000', /listenPort=70000/],
    ['autoCreateTopicEnable=yes', /autoCreateTopicEnable=yes .* true or false/],
    ['flushDiskType=NEVER', /flushDiskType=NEVER .* ASYNC_FLUSH or SYNC_FLUSH/],
    ['brokerRole=BOSS', /brokerRole=BOSS .* ASYNC_MASTER or SYNC_MASTER/],
    ['messageDelayLevel=1s 2x', /messageDelayLevel=1s 2x .* s, m, h or d/],
    ['deleteWhen=25', /deleteWhen=25 .* hours/],
    ['namesrvAddr=nowhere', /namesrvAddr=nowhere .* host:port/],
    ['storePathCommitLog=/a,/b', /storePathCommitLog=\/a,\/b .* one directory/],
    ['mappedFileSizeCommitLog=8192', /mappedFileSizeCommitLog=8192 cannot hold the largest message/],
  ];
  for (const [text, expected] of refused) assert.throws(() => load(text), expected);
  assert.throws(
    () => load('ringmq.engineLayout=merged\nringmq.networkThreads=2'),
    /networkThreads is 2: set it to 1/,
  );
  assert.is(load('ringmq.engineLayout=merged').values.listener.networkThreads, 1);
  assert.throws(() => load('listenPort=x'), new RegExp(`^${file}: listenPort`));
  assert.throws(() => load('', { port: '-1' }), /--port -1 is not possible/);
  assert.throws(
    () => loadBroker({ config: '/nowhere/b.conf' }),
    /\/nowhere\/b\.conf cannot be read: it does not exist/,
  );
});

test('requests 25 and 26: all keys as text, changes take effect and reach the file', ({ load, file }) => {
  const text = '# mine\nautoCreateTopicEnable = true\n\nfoo=bar\nfileReservedTime=\\\n  48\n';
  const { values } = load(text);
  const properties = new LiveProperties(values, file);
  const all = new Map(properties.all());
  assert.is(all.size, [...brokerKeys.values()].filter(({ secret }) => secret !== true).length);
  assert.is(all.get('fileReservedTime'), '48');
  assert.ok(ENGINE_LAYOUTS.some((layout) => layout === all.get('ringmq.engineLayout')));
  const before = properties.version.counter;
  let told = 0;
  properties.changed.add(() => {
    assert.is(values.store.fileReservedTime, 24, 'told when all is changed');
    told++;
  });
  properties.update(
    new Map([
      ['autoCreateTopicEnable', 'false'],
      ['fileReservedTime', '24'],
      ['brokerPermission', '4'],
      ['listenPort', '10911'],
    ]),
  );
  assert.is(values.settings.autoCreateTopicEnable, false);
  assert.is(values.store.fileReservedTime, 24);
  assert.is(properties.version.counter, before + 1);
  properties.update(new Map([['fileReservedTime', '24']]));
  assert.is(told, 1, 'nobody is told of what stays as it was');
  assert.is(
    readFileSync(file, 'utf8'),
    '# mine\nautoCreateTopicEnable=false\n\nfoo=bar\nfileReservedTime=24\nbrokerPermission=4\n',
  );
});

test('changes are refused as a whole', ({ load, file }) => {
  const { values } = load('autoCreateTopicEnable=true\n');
  const properties = new LiveProperties(values, file);
  const refused: [string, string, RegExp][] = [
    ['nonsense', '1', /no property nonsense/],
    ['brokerIP2', 'x', /brokerIP2 cannot be set: slaves are told brokerIP1, as clients are\. Nothing/],
    [
      'autoCreateTopicEnabled',
      'false',
      /no property .*Enabled\. Did you mean autoCreateTopicEnable\? Nothing/,
    ],
    ['mapedFileSizeCommitLog', '1', /is called mappedFileSizeCommitLog since RocketMQ 4\.5\. Nothing/],
    ['storePathIndex', '/x', /cannot be set: it follows from storePathRootDir\. Nothing/],
    ['aclEnable', 'true', /aclEnable cannot be set: RingMQ does not check who/],
    ['diskMaxUsedSpaceRatio', '96', /diskMaxUsedSpaceRatio=96 is not possible: allowed is 10 to 95/],
    ['listenPort', '1234', /listenPort takes effect only at start/],
    ['brokerPermission', '9', /brokerPermission=9 is not possible/],
  ];
  for (const [name, value, expected] of refused) {
    const changes = new Map([
      ['autoCreateTopicEnable', 'false'],
      [name, value],
    ]);
    assert.throws(() => properties.update(changes), expected);
  }
  assert.is(values.settings.autoCreateTopicEnable, true);
  assert.is(readFileSync(file, 'utf8'), 'autoCreateTopicEnable=true\n');
});

test('without a file, changes last as long as the broker', () => {
  const { values } = loadBroker({});
  new LiveProperties(values, undefined).update(new Map([['fileReservedTime', '5']]));
  assert.is(values.store.fileReservedTime, 5);
});

test('name servers of the same machine and port are one', () => {
  assert.ok(isSameServer('localhost:9876', '127.0.0.1:9876'));
  assert.not(isSameServer('localhost:9876', '127.0.0.1:9877'));
  assert.not(isSameServer('192.0.2.1:9876', '127.0.0.1:9876'));
});

test('a name server from its file', ({ directory }) => {
  const file = join(directory, 'namesrv.conf');
  writeFileSync(
    file,
    'listenPort=9999\nenableTopicList=false\nserverWorkerThreads=8\nserverSelectorThreads=4\nx=1\n',
  );
  const { options, warnings, properties } = loadNameServer({ config: file, host: '127.0.0.2' });
  assert.is(options.port, 9999);
  assert.is(options.host, '127.0.0.2');
  assert.is(options.config?.enableTopicList, false);
  assert.match(properties, /enableTopicList=false/);
  assert.is(warnings.length, 2, warnings.join('\n'));
  assert.is(loadNameServer({ port: '0' }).options.kvConfigPath, undefined);
  writeFileSync(file, 'waitSecondsForService=soon\n');
  assert.throws(() => loadNameServer({ config: file }), /waitSecondsForService takes a number/);
  assert.throws(() => loadNameServer({ port: 'x' }), /port x is not possible/);
});

test.run();
