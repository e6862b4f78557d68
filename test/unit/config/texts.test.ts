/** Addresses, lists of name servers and paths as people write them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BrokerFlags, type LoadedBroker, loadBroker } from '../../../src/config/load.ts';
import { isWildcard } from '../../../src/net/hosts.ts';

interface Context {
  directory: string;
  load(text: string | Buffer, flags?: BrokerFlags): LoadedBroker;
}

const test = suite<Context>('configuration texts');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-texts-'));
  context.load = (text, flags = {}) => {
    const file = join(context.directory, 'broker.conf');
    writeFileSync(file, text);
    return loadBroker({ config: file, ...flags });
  };
});

test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

/** A variable as Java and the shell write it. */
const braced = (name: string) => `\${${name}}`;

/** The sentence that ends the start. */
function refusal(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

test('lists of name servers in other forms are refused with the right one', ({ load }) => {
  for (const [given, right] of [
    ['a:9876,b:9876', 'a:9876;b:9876'],
    ['a:9876 b:9876', 'a:9876;b:9876'],
    ['http://192.0.2.1:9876', '192.0.2.1:9876'],
    ['tcp://a:9876/;b:9877', 'a:9876;b:9877'],
    ['a', 'a:9876'],
    ['a:', 'a:9876'],
    ['a;b', 'a:9876;b:9876'],
    ['[::1]', '[::1]:9876'],
    ['::1', '[::1]:9876'],
  ] as const) {
    const sentence = refusal(() => load(`namesrvAddr=${given}\n`));
    assert.ok(sentence.includes(`namesrvAddr=${given} is not possible`), sentence);
    assert.ok(sentence.endsWith(`Write namesrvAddr=${right}.`), sentence);
    assert.is(load(`namesrvAddr=${right}\n`).values.listener.namesrvAddr, right);
  }
  for (const fine of ['', 'a:9876', ' a:9876 ; b:9876; ', 'my_names.example:1;[::1]:9876', 'rmq-ns1:9876']) {
    assert.is(load(`namesrvAddr=${fine}`).values.listener.namesrvAddr, fine.trim());
  }
  assert.match(
    refusal(() => load('namesrvAddr=?:1')),
    /allowed is host:port, several separated by ;\.$/,
  );
  assert.match(
    refusal(() => load('', { namesrv: 'a,b:1' })),
    /^-n a,b:1 is .* Write -n 'a:9876;b:1'\.$/,
  );
});

test('NAMESRV_ADDR is held to the same form, where it counts', ({ load }) => {
  const before = process.env['NAMESRV_ADDR'];
  process.env['NAMESRV_ADDR'] = 'http://a:9876';
  try {
    assert.match(
      refusal(() => load('')),
      /^The environment variable NAMESRV_ADDR=http:\/\/a:9876 is not possible: .* Write NAMESRV_ADDR=a:9876\.$/,
    );
    assert.is(load('namesrvAddr=b:9876').values.listener.namesrvAddr, 'b:9876');
  } finally {
    if (before === undefined) delete process.env['NAMESRV_ADDR'];
    else process.env['NAMESRV_ADDR'] = before;
  }
});

test('addresses with port, scheme or zone are refused with the right form', ({ load }) => {
  for (const [given, right] of [
    ['192.0.2.1:10911', '192.0.2.1'],
    ['http://broker:10911/', 'broker'],
    ['[2001:db8::1]:10911', '2001:db8::1'],
  ] as const) {
    assert.ok(refusal(() => load(`brokerIP1=${given}`)).endsWith(`Write brokerIP1=${right}.`), given);
  }
  assert.match(
    refusal(() => load('', { host: '0.0.0.0:1' })),
    /^--host 0\.0\.0\.0:1 .* Write --host 0\.0\.0\.0\.$/,
  );
  assert.match(
    refusal(() => load('brokerIP1=fe80::1%eth0')),
    /the part behind % names an interface/,
  );
  assert.match(
    refusal(() => load('brokerIP1=a b')),
    /allowed is an IP address or a host name/,
  );
});

test('numbers that are no IP address are refused with what is allowed', ({ load }) => {
  for (const given of ['127.1', '010.0.0.1', '192.168.1.300', '2130706433']) {
    const allowed = /is not possible: an IPv4 address has four numbers/;
    assert.match(
      refusal(() => load(`brokerIP1=${given}`)),
      allowed,
    );
    assert.match(
      refusal(() => load(`bindAddress=${given}`)),
      allowed,
    );
    assert.match(
      refusal(() => load('', { host: given })),
      allowed,
    );
  }
});

test('paths in quotes and URLs are refused with the right form', ({ load }) => {
  for (const given of ['"/data/store"', "'/data/store'", 'file:///data/store']) {
    assert.match(
      refusal(() => load(`storePathRootDir=${given}`)),
      /write \/data\/store\.$/,
    );
  }
  assert.match(
    refusal(() => load('', { store: 's3://bucket/store' })),
    /no URL: write \/var\/lib\/ringmq/,
  );
});

test('brokerIP1=0.0.0.0: clients are told an address instead', ({ load }) => {
  for (const wild of ['0.0.0.0', '::', '[::]', '0:0::0']) {
    const { values, warnings } = load(`brokerIP1=${wild}`);
    const { brokerIP1 } = values.settings;
    assert.not(isWildcard(brokerIP1));
    assert.is(values.listener.bindAddress, '0.0.0.0');
    assert.is(warnings.length, 1);
    assert.match(
      warnings[0] ?? '',
      /^brokerIP1=\S+ is nothing that a client can connect to: clients are told/,
    );
    assert.ok(warnings[0]?.includes(` ${brokerIP1},`), warnings[0]);
  }
});

test('the home directory is put in, in files and options', ({ load }) => {
  for (const home of ['~', '$HOME', braced('HOME'), braced('user.home')]) {
    const { store } = load(`storePathRootDir=${home}/mq\n`).values;
    assert.is(store.directory, join(homedir(), 'mq'));
    assert.is(store.commitLogDirectory, join(homedir(), 'mq', 'commitlog'));
    assert.is(load('', { store: `${home}/mq` }).values.store.directory, join(homedir(), 'mq'));
  }
  assert.is(load('storePathRootDir=~').values.store.directory, homedir());
  assert.is(load('storePathRootDir=/a/b~/c').values.store.directory, '/a/b~/c');
});

test('other variables and Windows paths are refused: no directory gets such a name', ({ load }) => {
  for (const [given, named] of [
    [`${braced('ROCKETMQ_HOME')}/store`, braced('ROCKETMQ_HOME')],
    ['$DATA/store', '$DATA'],
    ['/data/$HOME', '$HOME'],
    ['$HOMEX/store', '$HOMEX'],
    ['/x/${unclosed', '${unclosed'],
    ['~other/store', '~other'],
    ['%USERPROFILE%/store', '%USERPROFILE%'],
    ['$(pwd)/store', '$('],
  ] as const) {
    const sentence = refusal(() => load(`storePathRootDir=${given}`));
    assert.ok(sentence.includes(`${named} is not replaced here`), sentence);
    assert.ok(
      refusal(() => load('', { store: given })).startsWith(`--store ${given} is not possible: ${named} is`),
    );
  }
  // The second is what Java properties make of the first.
  for (const given of ['C:\\\\store', 'C:\\store', 'd:/store']) {
    assert.match(
      refusal(() => load(`storePathRootDir=${given}`)),
      /looks like a path of Windows .* on Linux/,
    );
  }
});

test('a byte order mark is passed over, UTF-16 and other encodings are refused', ({ load }) => {
  const { values, warnings } = load('\ufeffbrokerName=first\nlistenPort=1234\n');
  assert.is(values.settings.brokerName, 'first');
  assert.equal(warnings, []);
  for (const text of ['\ufeffbrokerName=x\n', 'brokerName=x\n']) {
    assert.match(
      refusal(() => load(Buffer.from(text, 'utf16le'))),
      /looks like UTF-16\. Save it again as UTF-8\.$/,
    );
  }
  const latin = Buffer.from('# für alle\nregionId=Süd\n', 'latin1');
  assert.match(
    refusal(() => load(latin)),
    /regionId=S.d is not in UTF-8/,
  );
  const comment = Buffer.from('# für alle\nregionId=South\n', 'latin1');
  assert.is(load(comment).values.settings.regionId, 'South');
});

test.run();
