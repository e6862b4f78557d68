// The first hour with a fresh clone: start, stop, the log, a configuration from a guide, and what is said of mistakes.

import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Terminal } from '../support/pseudo-terminal.ts';
import { readProjectFile } from '../support/source-files.ts';
import {
  cloneRepository,
  removeTemporaryFolders,
  run,
  start,
  stop,
  succeed,
  temporaryFolder,
  whenItSays,
} from './support/machine.ts';

const test = suite('the first hour');
const MIB = 1024 * 1024;
const CTRL_C = '\x03';
const FREE = ['--port', '0', '--namesrv-port', '0'];
const { version } = JSON.parse(readProjectFile('package.json'));

let clone = '';
let home = '';
/** What a shell of this person has in its environment. */
const env = () => ({ HOME: home });

test.before(() => {
  clone = cloneRepository('first-hour');
  home = temporaryFolder('home of the first hour');
  const output = succeed('npm', ['run', 'setup'], { cwd: clone });
  assert.match(output, /building the native addon/);
});

test.after(removeTemporaryFolders);

/** `npm run ringmq -- …` to its end. */
function ringmq(...args: string[]) {
  return run('npm', ['run', '--silent', 'ringmq', '--', ...args], { cwd: clone, env: env() });
}

function configuration(name: string, content: string | Uint8Array): string {
  const file = join(temporaryFolder('configurations'), `${name}.conf`);
  writeFileSync(file, content);
  return file;
}

/** Bytes that a directory takes of the disk. */
function taken(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => lstatSync(join(directory, name)).blocks * 512)
    .reduce((sum, bytes) => sum + bytes, 0);
}

test('npm start in a terminal: lines to read, a store that takes little, and one Ctrl-C ends it cleanly', async () => {
  const terminal = new Terminal(`npm start -- ${FREE.join(' ')}`, {
    cwd: clone,
    env: { ...process.env, ...env(), NO_COLOR: '1' },
  });
  const [ready] = await terminal.shows(/RingMQ ready: [^\r]*\r\n/);
  const store = join(home, 'store');
  assert.match(ready, `store ${store}, version ${version}`);
  await terminal.shows(/INFO \(\d+\): RingMQ starts .*INFO \(\d+\): the broker listens on 127\.0\.0\.1/s);
  assert.ok(existsSync(join(store, 'abort')));
  assert.ok(taken(store) < 70 * MIB, `${taken(store)} bytes`);
  terminal.type(CTRL_C);
  assert.is(await terminal.ended, 0, terminal.screen);
  assert.match(terminal.screen, /INFO \(\d+\): stopped/);
  assert.not(existsSync(join(store, 'abort')));
});

test('without a terminal: JSON, and a signal to the whole group stops it cleanly', async () => {
  const store = join(temporaryFolder('stores'), 'piped');
  const broker = start('npm', ['start', '--', ...FREE, '--store', store], { cwd: clone, env: env() });
  const output = await whenItSays(broker, /"msg":"the broker listens on/);
  const lines = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  assert.equal([lines[0].level, lines[0].msg, lines[0].version], ['info', 'RingMQ starts', version]);
  assert.match(lines[0].time, /^\d{4}-\d\d-\d\dT/);
  await stop(broker);
  assert.not(existsSync(join(store, 'abort')));
  const check = ringmq('log', 'check', store);
  assert.is(check.code, 0, check.output);
});

test('the version, the help, and an option that there is not', () => {
  assert.is(ringmq('--version').output, `${version}\n`);
  assert.match(ringmq('--help').output, /standalone.*name server and broker in one process/s);
  assert.match(ringmq('standalone', '--prot', '0').output, /unknown option '--prot'.*did you mean --port/is);
});

test('a broker.conf as guides have it is taken, and what it cannot mean is said with what holds instead', () => {
  mkdirSync(join(home, 'rocketmq'), { recursive: true });
  const file = configuration(
    'guide',
    [
      'brokerClusterName=DefaultCluster',
      'brokerName=broker-a',
      'brokerId=0',
      'namesrvAddr=127.0.0.1:9876',
      'defaultTopicQueueNums=4',
      'autoCreateTopicEnable=true',
      'listenPort=0',
      'deleteWhen=04',
      'fileReservedTime=120',
      'mapedFileSizeCommitLog=1073741824',
      'mapedFileSizeConsumeQueue=300000',
      'diskMaxUsedSpaceRatio=88',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as RocketMQ's own examples have it
      'storePathRootDir=${user.home}/rocketmq/store',
      'storePathCommitLog=$HOME/rocketmq/store/commitlog',
      'storePathConsumeQueue=~/rocketmq/store/consumequeue',
      'maxMessageSize=65536',
      'sendMessageThreadPoolNums=128',
      'brokerRole=ASYNC_MASTER',
      'flushDiskType=ASYNC_FLUSH',
    ].join('\n'),
  );
  const { code, output } = ringmq('broker', '-c', file, '-p');
  assert.is(code, 0, output);
  assert.match(output, `storePathRootDir=${home}/rocketmq/store\n`);
  assert.match(output, /^diskMaxUsedSpaceRatio=88$/m);
  assert.match(output, /^mappedFileSizeCommitLog=1073741824$/m);
  assert.not.match(output, /misspelt/);
});

const REFUSED: readonly [text: string | Uint8Array, sentence: RegExp][] = [
  ['autoCreateTopicEnabled=false', /did you mean autoCreateTopicEnable\b/],
  ['namesrvAddr=127.0.0.1:9876,127.0.0.1:9877', /127\.0\.0\.1:9876;127\.0\.0\.1:9877/],
  ['namesrvAddr=http://127.0.0.1:9876', /namesrvAddr=127\.0\.0\.1:9876/],
  ['storePathRootDir=$NOWHERE/store', /\$NOWHERE/],
  ['aclEnable=true', /ringmq\.allowMissing=aclEnable/],
  ['enableControllerMode=true', /ringmq\.allowMissing=enableControllerMode/],
  ['brokerRole=SLAVE\nbrokerId=1', /ringmq\.allowMissing=brokerRole,brokerId/],
  [Buffer.from('\ufefflistenPort=0\n', 'utf16le'), /UTF-16/],
];

test('what would not be what it says ends the start with a sentence', () => {
  for (const [i, [text, sentence]] of REFUSED.entries()) {
    const { code, output } = ringmq('standalone', '-c', configuration(`refused-${i}`, text), ...FREE);
    assert.is(code, 2, `${text}: ${output}`);
    assert.match(output, sentence, String(text));
    assert.not.match(output, /\n\s+at /, 'no stack');
  }
});

test('a host by its name, a byte order mark, and an address that nobody can reach', async () => {
  const store = join(temporaryFolder('stores'), 'named');
  const file = configuration('named', '\ufeffbrokerIP1=localhost\n');
  const args = ['start', '--', ...FREE, '--store', store, '-c', file, '--host', 'localhost'];
  const broker = start('npm', args, { cwd: clone, env: env() });
  assert.match(await whenItSays(broker, /RingMQ ready: .*\n/), /broker localhost:\d+/);
  await stop(broker);
  const wildcard = ringmq('broker', '-c', configuration('wildcard', 'brokerIP1=0.0.0.0\n'), '-p');
  assert.match(wildcard.output, /brokerIP1=0\.0\.0\.0 is nothing that a client can connect to/);
});

test.run();
