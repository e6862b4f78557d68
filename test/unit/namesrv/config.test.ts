import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseJavaProperties } from '../../../src/lib/java-properties.ts';
import { defaultConfig, updateConfig } from '../../../src/namesrv/config.ts';
import { KvConfig } from '../../../src/namesrv/kv-config.ts';
import { startNameServer } from '../../../src/namesrv/name-server.ts';
import { RawPeer, textOf } from '../remoting/support.ts';
import { register, route } from './support.ts';

interface Context {
  directory: string;
  path: string;
}

const test = suite<Context>('name server config');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-namesrv-'));
  context.path = join(context.directory, 'namesrv', 'kvConfig.json');
});

test.after.each(({ directory }) => {
  rmSync(directory, { recursive: true });
});

async function withServer(path: string | undefined, use: (peer: RawPeer) => Promise<void>): Promise<void> {
  const kvConfigPath = path === undefined ? {} : { kvConfigPath: path };
  const server = await startNameServer({ host: '127.0.0.1', port: 0, ...kvConfigPath });
  const peer = await RawPeer.connect(server.port);
  try {
    await use(peer);
  } finally {
    peer.close();
    await server.close();
  }
}

test('entries outlive the process', async ({ path }) => {
  await withServer(path, async (peer) => {
    assert.is((await peer.ask(101, { namespace: 'n', key: 'k' })).code, 22);
    assert.is((await peer.ask(219, { namespace: 'n' })).code, 22);
    assert.is((await peer.ask(100, { namespace: 'n', key: 'k', value: 'v1' })).code, 0);
    assert.is((await peer.ask(100, { namespace: 'n', key: 'gone', value: 'x' })).code, 0);
    assert.is((await peer.ask(102, { namespace: 'n', key: 'gone' })).code, 0);
    assert.is((await peer.ask(102, { namespace: 'n', key: 'never' })).code, 0);
  });
  assert.is(readFileSync(path, 'utf8'), '{"configTable":{"n":{"k":"v1"}}}');
  await withServer(path, async (peer) => {
    assert.is((await peer.ask(101, { namespace: 'n', key: 'k' })).fields['value'], 'v1');
    assert.is(textOf((await peer.ask(219, { namespace: 'n' })).body), '{"table":{"k":"v1"}}');
  });
});

test('without a path, entries end with the process', async ({ directory }) => {
  await withServer(undefined, async (peer) => {
    await peer.ask(100, { namespace: 'n', key: 'k', value: 'v' });
    assert.is((await peer.ask(101, { namespace: 'n', key: 'k' })).code, 0);
    assert.is((await peer.ask(100, { key: 'k' })).remark, 'namespace or key is null');
  });
  assert.not(existsSync(join(directory, 'kvConfig.json')));
});

test('entries have limits in number and length, and names that are none are refused', async () => {
  await withServer(undefined, async (peer) => {
    const put = async (key: string, value: string, namespace = 'n') =>
      (await peer.ask(100, { namespace, key, value })).remark ?? '';
    assert.match(await put('k', 'x'.repeat(32_769)), /limit MAX_FIELD_TEXT/);
    assert.match(await put('k\n', 'x'), /<key> is no name/);
    assert.match(await put('k', 'x', 'n\0'), /<namespace> is no name/);
    const large = 'x'.repeat(32_768);
    for (let i = 0; i < 127; i++) assert.is(await put(`k${i}`, large), '');
    assert.match(await put('more', large), /limit MAX_KV_CHARACTERS/);
    assert.is((await peer.ask(101, { namespace: 'n', key: 'more' })).code, 22);
    await peer.ask(102, { namespace: 'n', key: 'k1' });
    assert.is(await put('more', large), '');
    assert.is(await put('more', 'small'), '');
  });
  const config = new KvConfig();
  for (let i = 0; i < 16_384; i++) await config.put(`n${i % 10}`, `k${i}`, '');
  await config.put('n1', 'k1', 'again');
  await config.put('n1', 'more', '').then(
    () => assert.unreachable('the table is full'),
    (error: Error) => assert.match(error.message, /limit MAX_KV_ENTRIES/),
  );
});

test('a file that cannot be read stops the start', async ({ directory }) => {
  const path = join(directory, 'kvConfig.json');
  writeFileSync(path, '{"configTable":');
  await startNameServer({ host: '127.0.0.1', port: 0, kvConfigPath: path }).then(
    () => assert.unreachable('the file is damaged'),
    (error: Error) => assert.match(error.message, 'kvConfig.json'),
  );
});

test('order configuration goes to brokers, and to clients when enabled', async () => {
  await withServer(undefined, async (peer) => {
    assert.is((await register(peer)).body, undefined);
    await peer.ask(100, { namespace: 'ORDER_TOPIC_CONFIG', key: 't1', value: 'b:4' });
    assert.is(textOf((await register(peer)).body), '{"table":{"t1":"b:4"}}');
    assert.not.match(textOf((await route(peer, 't1')).body), 'orderTopicConf');
    const update = 'orderMessageEnable=true\nreturnOrderTopicConfigToBroker=false\n';
    assert.is((await peer.ask(318, {}, Buffer.from(update))).code, 0);
    assert.match(textOf((await route(peer, 't1')).body), '"orderTopicConf":"b:4"');
    assert.is((await register(peer)).body, undefined);
  });
});

test('settings are shown and changed', async () => {
  await withServer(undefined, async (peer) => {
    assert.match(textOf((await peer.ask(319)).body), /^enableAllTopicList=true\n/m);
    await peer.ask(318, {}, Buffer.from('# off\nenableAllTopicList = false\r\nenableTopicList=false'));
    assert.match(textOf((await peer.ask(319)).body), /^enableAllTopicList=false\n/m);
    for (const code of [206, 224, 311, 312, 313]) {
      const answer = await peer.ask(code, { cluster: 'c' });
      assert.is(answer.code, 1);
      assert.is(answer.remark, 'disable');
    }
    const refused = await peer.ask(318, {}, Buffer.from('kvConfigPath=/tmp/x'));
    assert.is(refused.code, 16);
    assert.is(refused.remark, 'Can not update config in black list.');
  });
});

test('an update is taken as a whole or not at all', () => {
  const config = defaultConfig();
  const update = updateConfig(config, parseJavaProperties('enableTopicList=false\nlistenPort=1'));
  assert.is(update.outcome, 'refused');
  assert.match(
    update.outcome === 'refused' ? update.reason : '',
    /unknown setting listenPort; supported are .*enableTopicList/,
  );
  assert.equal(config, defaultConfig());
  for (const line of [
    'enableTopicList=maybe',
    'waitSecondsForService=-1',
    'enableTopicList',
    '__proto__=true',
  ]) {
    assert.is(updateConfig(config, parseJavaProperties(line)).outcome, 'refused', line);
  }
  assert.is(updateConfig(config, parseJavaProperties(' waitSecondsForService = 7 ')).outcome, 'updated');
  assert.is(config.waitSecondsForService, 7);
});

test.run();
