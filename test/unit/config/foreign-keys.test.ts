/** Keys of guides and of other versions, misspelt ones, and those that ask for what RingMQ does not have. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { brokerKeys } from '../../../src/config/broker-keys.ts';
import { instead } from '../../../src/config/instead.ts';
import { type LoadedBroker, loadBroker } from '../../../src/config/load.ts';
import { type LoadedNameServer, loadNameServer } from '../../../src/config/load-namesrv.ts';
import { missingKeys } from '../../../src/config/missing.ts';
import { nameServerGroups } from '../../../src/config/namesrv-keys.ts';
import { olderNames } from '../../../src/config/older-names.ts';
import { keysOf } from '../../../src/config/unsupported.ts';
import { unsupportedGroups } from '../../../src/config/unsupported-keys.ts';

interface Context {
  file: string;
  load(text: string): LoadedBroker;
  loadNames(text: string): LoadedNameServer;
}

const test = suite<Context>('foreign keys');

test.before.each((context) => {
  context.file = join(mkdtempSync(join(tmpdir(), 'ringmq-foreign-')), 'some.conf');
  context.load = (text) => {
    writeFileSync(context.file, text);
    return loadBroker({ config: context.file });
  };
  context.loadNames = (text) => {
    writeFileSync(context.file, text);
    return loadNameServer({ config: context.file });
  };
});

test.after.each(({ file }) => rmSync(join(file, '..'), { recursive: true }));

/** What the guides of ten years have in common. */
const GUIDE = `brokerClusterName=rocketmq-cluster
brokerName=broker-a
brokerId=0
namesrvAddr=rocketmq-nameserver1:9876;rocketmq-nameserver2:9876
defaultTopicQueueNums=4
autoCreateTopicEnable=true
autoCreateSubscriptionGroup=true
listenPort=10911
deleteWhen=04
fileReservedTime=120
mapedFileSizeCommitLog=536870912
mapedFileSizeConsumeQueue=300000
destroyMapedFileIntervalForcibly=120000
redeleteHangedFileInterval=120000
diskMaxUsedSpaceRatio=88
storePathRootDir=/usr/local/rocketmq/store
storePathCommitLog=/usr/local/rocketmq/store/commitlog
storePathConsumeQueue=/usr/local/rocketmq/store/consumequeue
storePathIndex=/usr/local/rocketmq/store/index/
storeCheckpoint=/usr/local/rocketmq/store/checkpoint
abortFile=/usr/local/rocketmq/store/abort
maxMessageSize=65536
flushCommitLogLeastPages=4
flushConsumeQueueThoroughInterval=60000
brokerRole=ASYNC_MASTER
flushDiskType=ASYNC_FLUSH
checkTransactionMessageEnable=false
sendMessageThreadPoolNums=128
pullMessageThreadPoolNums=128
`;

test('the configuration of the guides: what can be taken is taken, the rest is said once', ({ load }) => {
  const { values, warnings } = load(GUIDE);
  assert.is(values.store.mappedFileSizeCommitLog, 536_870_912);
  assert.is(values.store.mappedFileSizeConsumeQueue, 6_000_000);
  assert.is(values.store.diskMaxUsedSpaceRatio, 88);
  assert.equal(
    warnings.map((line) => line.slice(0, line.indexOf('='))),
    [
      'mapedFileSizeCommitLog',
      'mapedFileSizeConsumeQueue',
      'sendMessageThreadPoolNums',
      'pullMessageThreadPoolNums',
    ],
  );
  assert.is(
    warnings[0],
    'mapedFileSizeCommitLog=536870912 is taken as mappedFileSizeCommitLog, as the key is called since RocketMQ 4.5.',
  );
  assert.match(warnings[1] ?? '', /default number of entries, which holds/);
});

test('an old spelling: other numbers count, today’s key wins, mistakes name the line', ({ load }) => {
  assert.is(load('mapedFileSizeConsumeQueue=50000').values.store.mappedFileSizeConsumeQueue, 50_000);
  const both = load('mapedFileSizeCommitLog=536870912\nmappedFileSizeCommitLog=268435456\n');
  assert.is(both.values.store.mappedFileSizeCommitLog, 268_435_456);
  assert.match(both.warnings.join(), /^mapedFileSizeCommitLog=536870912 has no effect: .* is set too/);
  assert.throws(
    () => load('mapedFileSizeCommitLog=1G'),
    /mapedFileSizeCommitLog=1G is not possible: allowed/,
  );
});

test('places that follow from the root: silent where they agree, told where not', ({ load }) => {
  const root = 'storePathRootDir=/data/store\n';
  assert.equal(load(`${root}storePathIndex=/data/store/../store/index\n`).warnings, []);
  for (const [line, place] of [
    ['storePathConsumeQueue=/fast/queues', '/data/store/consumequeue'],
    ['storeCheckpoint=/data/store/index/checkpoint', '/data/store/checkpoint'],
    ['abortFile=$MQ/abort', '/data/store/abort'],
  ] as const) {
    assert.equal(load(`${root}${line}\n`).warnings, [
      `${line} has no effect, in RocketMQ neither: RingMQ uses ${place}, which follows from storePathRootDir.`,
    ]);
  }
});

test('the levels of the disk are read, and kept in their order of size', ({ load }) => {
  const text = `diskMaxUsedSpaceRatio=50
diskSpaceCleanForciblyRatio=60
diskSpaceWarningLevelRatio=70
cleanFileForciblyEnable=false`;
  const { store } = load(text).values;
  assert.equal(
    [store.diskMaxUsedSpaceRatio, store.diskSpaceCleanForciblyRatio, store.diskSpaceWarningLevelRatio],
    [50, 60, 70],
  );
  assert.is(store.cleanFileForciblyEnable, false);
  assert.throws(() => load('diskSpaceWarningLevelRatio=95'), /=95 is not possible: allowed is 35 to 90/);
  assert.match(
    load('rocketmq.broker.diskSpaceWarningLevelRatio=0.95').warnings.join(),
    /Java system property: set diskSpaceWarningLevelRatio, in percent/,
  );
});

test('a misspelt key is told with the nearest one', ({ load }) => {
  for (const [line, nearest] of [
    ['defaultTopicQueueNum=16', 'defaultTopicQueueNums'],
    ['BROKERCLUSTERNAME=x', 'brokerClusterName'],
    ['pullThreadPoolQueueCapacty=5', 'pullThreadPoolQueueCapacity'],
    ['storePathConsumerQueue=/x', 'storePathConsumeQueue'],
    ['ringmq.networkThread=1', 'ringmq.networkThreads'],
  ] as const) {
    assert.equal(load(`${line}\n`).warnings, [`${line} has no effect: did you mean ${nearest}?`]);
  }
});

test('a misspelt key that guards something ends the start, unless it says what holds anyway', ({
  load,
  file,
}) => {
  for (const [line, nearest] of [
    ['autoCreateTopicEnabled=false', 'autoCreateTopicEnable'],
    ['autoCreateSubscriptionGroups=false', 'autoCreateSubscriptionGroup'],
    ['flushDiskTyp=SYNC_FLUSH', 'flushDiskType'],
    ['brokerIp1=192.0.2.1', 'brokerIP1'],
    ['bindAdress=192.0.2.1', 'bindAddress'],
    ['brokerPermision=4', 'brokerPermission'],
    ['fileReserveTime=240', 'fileReservedTime'],
    ['storePathRoot=/x', 'storePathRootDir'],
    ['nameSrvAddr=192.0.2.1:9876', 'namesrvAddr'],
    ['diskMaxUsedSpaceRation=80', 'diskMaxUsedSpaceRatio'],
    ['flushDisk=SYNC_FLUSH', 'flushDiskType'],
    ['syncFlush=true', 'flushDiskType'],
    ['autoCreateTopic=false', 'autoCreateTopicEnable'],
    ['storePath=/x', 'storePathRootDir'],
    ['store=/x', 'storePathRootDir'],
    ['storePathDir=/x', 'storePathRootDir'],
    ['storeRootDir=/x', 'storePathRootDir'],
    ['fileReservedTimeInHours=240', 'fileReservedTime'],
    ['brokerIP=192.0.2.1', 'brokerIP1'],
    ['brokerIp=192.0.2.1', 'brokerIP1'],
    ['port=10912', 'listenPort'],
    ['host=192.0.2.1', 'bindAddress'],
    ['namesrv=192.0.2.1:9876', 'namesrvAddr'],
    ['rocketmq.namesrv.addr=192.0.2.1:9876', 'namesrvAddr'],
  ] as const) {
    const guards = brokerKeys.get(nearest)?.guards;
    assert.ok(guards, nearest);
    const sentence = `${file}: ${line} has no effect: did you mean ${nearest}? It decides ${guards}: correct the line or take it out.`;
    let message = '';
    try {
      load(`${line}\n`);
    } catch (error) {
      message = (error as Error).message;
    }
    assert.is(message, sentence);
  }
  const harmless = load('autoCreateTopicEnabled=true\nflushDiskTyp=ASYNC_FLUSH\nfileReserveTime=72\n');
  assert.is(harmless.warnings.length, 3, harmless.warnings.join('\n'));
  for (const warning of harmless.warnings) assert.match(warning, /has no effect: did you mean \w+\?$/);
});

test('what RingMQ does not have ends the start, with the line that allows it', ({ load, file }) => {
  for (const line of [
    'aclEnable=true',
    'aclEnable=yes',
    'authenticationEnabled=1',
    'authenticationEnabled=TRUE',
    'authorizationEnabled=true',
    'enableControllerMode=true',
    'enableDLegerCommitLog=true',
    'duplicationEnable=true',
    'storeType=defaultRocksDB',
    'readOnlyCommitLogStorePaths=/old',
  ]) {
    const name = line.slice(0, line.indexOf('='));
    let message = '';
    try {
      load(`${line}\n`);
    } catch (error) {
      message = (error as Error).message;
    }
    assert.ok(message.startsWith(`${file}: ${line} has no effect: RingMQ `), `${line}: ${message}`);
    const allowing = `ringmq.allowMissing=${name}`;
    assert.ok(message.endsWith(`with this line: ${allowing}`), message);
    const { values, warnings } = load(`${line}\n${allowing}\n`);
    assert.is(warnings.length, 1, warnings.join('\n'));
    assert.ok(warnings[0]?.startsWith(`${line} has no effect: RingMQ `), warnings[0]);
    assert.equal([values.settings.brokerId, values.replication.brokerRole], [0, 'ASYNC_MASTER']);
  }
  const plain = 'aclEnable=false\nauthenticationEnabled=\nbrokerId=0\nstoreType=default\n';
  const { warnings } = load(`${plain}inSyncReplicas=1\n`);
  assert.equal(
    warnings.filter((line) => !/^authenticationEnabled=/.test(line)),
    [],
  );
});

test('all that is missing is told at once, and what is allowed stays allowed', ({ load }) => {
  const text = 'aclEnable=true\nstoreType=x\nduplicationEnable=true\nringmq.allowMissing = aclEnable\n';
  assert.throws(
    () => load(text),
    /storeType=x .* duplicationEnable=true .* these lines out, .*: ringmq\.allowMissing=aclEnable,storeType,duplicationEnable$/,
  );
  assert.throws(() => load('ringmq.allowMissing=storeTyp'), /write ringmq\.allowMissing=storeType\.$/);
  assert.throws(() => load('ringmq.allowMissing=everything'), /allowed are names, .* aclEnable, /);
});

test('what is missing, misspelt, ends the start too', ({ load }) => {
  assert.throws(() => load('aclEnabled=true'), /aclEnabled=true has no effect: RingMQ does not check who/);
  assert.throws(
    () => load('tlsenable=true'),
    /did you mean tls\.enable\? It decides whether connections are/,
  );
  assert.throws(
    () => load('duplicationEnabled=1'),
    /did you mean duplicationEnable\? RingMQ keeps copies by brokerRole/,
  );
  assert.match(load('aclEnabled=false').warnings.join(), /^aclEnabled=false .* did you mean aclEnable\?$/);
});

test('an unknown key that sounds like what is missing ends the start, unless it is allowed', ({
  load,
  loadNames,
  file,
}) => {
  for (const [line, lacks] of [
    ['enableAcl=true', 'RingMQ does not check'],
    ['enableACL=1', 'RingMQ does not check'],
    ['ACLEnable=x', 'RingMQ does not check'],
    ['aclFile=/etc/plain_acl.yml', 'RingMQ does not check'],
    ['enableAuth=true', 'RingMQ does not check'],
    ['authEnabled=yes', 'RingMQ does not check'],
    ['enableTls=true', 'RingMQ encrypts connections by the keys of docs/tls.md'],
    ['enableTLS=true', 'RingMQ encrypts connections by the keys of docs/tls.md'],
    ['sslEnable=true', 'RingMQ encrypts connections by the keys of docs/tls.md'],
    ['useSSL=true', 'RingMQ encrypts connections by the keys of docs/tls.md'],
    ['tls.server.keystore=/etc/key', 'RingMQ encrypts connections by the keys of docs/tls.md'],
    ['enableDLeger=true', 'RingMQ keeps copies by brokerRole'],
    ['dLedgerGroup=x', 'RingMQ keeps copies by brokerRole'],
    ['replicaCount=3', 'RingMQ keeps copies by brokerRole'],
  ] as const) {
    const name = line.slice(0, line.indexOf('='));
    for (const start of [load, loadNames]) {
      let message = '';
      try {
        start(`${line}\n`);
      } catch (error) {
        message = (error as Error).message;
      }
      assert.ok(message.startsWith(`${file}: ${line} has no effect: ${lacks}`), `${line}: ${message}`);
      const allowing = `ringmq.allowMissing=${name}`;
      assert.ok(message.endsWith(`with this line: ${allowing}`), message);
      const { warnings } = start(`${line}\n${allowing}\n`);
      assert.is(warnings.length, 1, warnings.join('\n'));
      assert.match(start(`${name}=False\n`).warnings.join(), /has no effect/);
    }
  }
  assert.match(load('oraclePath=x\n').warnings.join(), /has no such key\.$/, 'no word of its own');
  assert.match(load('tlsless=x\n').warnings.join(), /has no such key\.$/, 'no word of its own');
  assert.match(load('haSlaveFallbehindMax=1\n').warnings.join(), /haMaxGapNotInSync says/, 'a known key');
  assert.is(load('duplicationEnabled=false\n').warnings.length, 1, 'as the key that it resembles');
  assert.throws(() => load('duplicationEnabled=true\n'), /keeps copies by brokerRole/);
});

test('clusterName leads to the key for the name of the cluster', ({ load }) => {
  assert.match(
    load('clusterName=c1\n').warnings.join(),
    /^clusterName=c1 has no effect: brokerClusterName is/,
  );
});

test('keys of the other file, and a master that waits for no slave', ({ load, loadNames }) => {
  assert.match(load('enableTopicList=false').warnings.join(), /it is a key of namesrv\.conf, which/);
  assert.match(loadNames('brokerIP1=192.0.2.1').warnings.join(), /it is a key of broker\.conf, which/);
  assert.match(
    load('brokerRole=SYNC_MASTER\ninSyncReplicas=1').warnings.join(),
    /SYNC_MASTER with inSyncReplicas=1 waits for no slave/,
  );
});

test('masters and slaves: what belongs together is given together', ({ load }) => {
  assert.match(
    load('brokerRole=ASYNC_MASTER\nminInSyncReplicas=2').warnings.join(),
    /minInSyncReplicas, .* count under brokerRole=SYNC_MASTER alone/,
  );
  const sync = (lines: string) => load(`brokerRole=SYNC_MASTER\n${lines}\n`).values.replication;
  assert.is(sync('minInSyncReplicas=3').inSyncReplicas, 3);
  assert.is(sync('inSyncReplicas=1\nminInSyncReplicas=3\nallAckInSyncStateSet=true').minInSyncReplicas, 3);
  assert.throws(
    () => sync('inSyncReplicas=2\nminInSyncReplicas=3'),
    /inSyncReplicas=2 is less than minInSyncReplicas=3/,
  );
  const { values } = load('brokerRole=SYNC_MASTER\nlistenPort=20000\n');
  assert.equal([values.replication.inSyncReplicas, values.replication.haListenPort], [2, 20_001]);
  assert.is(load('listenPort=0\n').values.replication.haListenPort, 0);
  assert.is(load('listenPort=65535\n').values.replication.haListenPort, 0);
  assert.is(load('haListenPort=3\n').values.replication.haListenPort, 3);
  assert.is(load('brokerRole=ASYNC_MASTER\n').values.replication.inSyncReplicas, 1);
  assert.is(load('brokerRole=slave\nbrokerId=2\n').values.settings.brokerId, 2);
  assert.throws(() => load('brokerRole=SLAVE\n'), /needs a brokerId of its own/);
  assert.throws(() => load('brokerId=1\n'), /is that of a slave, and brokerRole is ASYNC_MASTER/);
  assert.throws(
    () => load('brokerRole=SLAVE\nbrokerId=1\nringmq.engineLayout=inline\n'),
    /not possible for a slave/,
  );
  assert.throws(() => load('haMasterAddress=nowhere\n'), /haMasterAddress=nowhere is not possible/);
  assert.throws(() => load('haMasterAddress=a:1;b:2\n'), /haMasterAddress=a:1;b:2 is not possible/);
});

test('namesrv.conf is judged in the same way', ({ loadNames }) => {
  const { warnings } = loadNames(
    'rocketmqHome=/opt/rocketmq\nclusterTest=false\nserverWorkerThreads=16\nneedWaitForServices=false\nzzz=1\n',
  );
  assert.equal(warnings, [
    'rocketmqHome=/opt/rocketmq has no effect: RingMQ needs no RocketMQ beside it.',
    'serverWorkerThreads=16 has no effect: ringmq.networkThreads threads serve the sockets.',
    'needWaitForServices=false has no effect: did you mean needWaitForService?',
    'zzz=1 has no effect: RocketMQ 5.5.0 has no such key.',
  ]);
  assert.throws(
    () => loadNames('enableTopicsList=false'),
    /did you mean enableTopicList\? It decides whether/,
  );
  assert.throws(
    () => loadNames('enableControllerInNamesrv=true'),
    /no controllers.*: ringmq\.allowMissing=enableControllerInNamesrv$/,
  );
  const allowed = loadNames('enableControllerInNamesrv=true\nringmq.allowMissing=enableControllerInNamesrv');
  assert.is(allowed.warnings.length, 1);
  assert.throws(
    () => loadNames('listenPort=x'),
    /some\.conf: listenPort=x is not possible: allowed is 0 to 65535/,
  );
  assert.throws(() => loadNames('kvConfigPath=$X/kv.json'), /kvConfigPath=.*\$X is not replaced here/);
});

test('every note is about a key without effect; what is missing has a key', () => {
  const names = new Set([...unsupportedGroups, ...nameServerGroups].flatMap(keysOf).map((key) => key.name));
  assert.equal(
    Object.keys(instead).filter((name) => !names.has(name)),
    [],
  );
  assert.equal(
    missingKeys.filter((name) => !names.has(name) && !brokerKeys.has(name)),
    [],
  );
  assert.equal(
    olderNames.filter((name) => names.has(name) || brokerKeys.has(name)),
    [],
  );
});

test.run();
