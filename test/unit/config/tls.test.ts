/** The keys tls.* of brokers and name servers, the file that they name, and lines that leave a door open. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LiveProperties } from '../../../src/config/live-properties.ts';
import { type LoadedBroker, loadBroker } from '../../../src/config/load.ts';
import { type LoadedNameServer, loadNameServer } from '../../../src/config/load-namesrv.ts';
import { tlsKeyList } from '../../../src/config/tls-keys.ts';
import { DEFAULT_TLS_SETTINGS, type TlsSettings } from '../../../src/tls/settings.ts';

interface Context {
  folder: string;
  load(text: string): LoadedBroker;
  loadNames(text: string): LoadedNameServer;
}

const test = suite<Context>('TLS keys');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'ringmq-tls-keys-'));
  const file = join(context.folder, 'some.conf');
  const written = (text: string) => {
    writeFileSync(file, text);
    return file;
  };
  context.load = (text) => loadBroker({ config: written(text) });
  context.loadNames = (text) => loadNameServer({ config: written(text) });
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const FILES = `tls.test.mode.enable=false
tls.server.certPath=/c/server.pem
tls.server.keyPath=/c/server.key
tls.server.keyPassword=geheim
tls.server.need.client.auth=REQUIRE
tls.server.authClient=true
tls.server.trustCertPath=/c/ca.pem
tls.client.certPath=/c/client.pem
tls.client.keyPath=/c/client.key
tls.client.keyPassword=auch geheim
tls.client.authServer=true
tls.client.trustCertPath=/c/ca.pem
tls.ciphers=TLS_AES_128_GCM_SHA256
tls.protocols=TLSv1.2,TLSv1.3
`;

const FROM_FILES: Partial<TlsSettings> = {
  testMode: false,
  serverCertPath: '/c/server.pem',
  serverKeyPath: '/c/server.key',
  serverKeyPassword: 'geheim',
  needClientAuth: 'require',
  serverAuthClient: true,
  serverTrustCertPath: '/c/ca.pem',
  clientCertPath: '/c/client.pem',
  clientKeyPath: '/c/client.key',
  clientKeyPassword: 'auch geheim',
  clientAuthServer: true,
  clientTrustCertPath: '/c/ca.pem',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  protocols: 'TLSv1.2,TLSv1.3',
};

test('every setting has its key, and nothing given means the defaults of RocketMQ', ({ load, loadNames }) => {
  assert.equal(new Set(tlsKeyList.map(({ field }) => field)), new Set(Object.keys(DEFAULT_TLS_SETTINGS)));
  assert.equal(load('').values.tls, DEFAULT_TLS_SETTINGS);
  assert.equal(loadNames('').options.tls, DEFAULT_TLS_SETTINGS);
});

test('broker and name server take the same lines', ({ load, loadNames }) => {
  const text = `tls.server.mode=enforcing\n${FILES}`;
  const expected = { ...DEFAULT_TLS_SETTINGS, mode: 'enforcing', enable: true, ...FROM_FILES };
  const { values, warnings } = load(text);
  assert.equal([values.tls, warnings], [expected, []]);
  const names = loadNames(text);
  assert.equal([names.options.tls, names.warnings], [expected, []]);
});

test('other servers are spoken to by TLS where that is said, and where nothing else is taken', ({ load }) => {
  const enable = (text: string) => load(text).values.tls.enable;
  assert.equal(
    ['', 'tls.enable=true', 'useTLS=true', 'tls.server.mode=enforcing', 'tls.server.mode=disabled'].map(
      enable,
    ),
    [false, true, true, true, false],
  );
  assert.is(enable('tls.server.mode=enforcing\ntls.enable=false\n'), false);
});

test('the file that tls.config.file names wins, and may be missing only at its usual place', ({
  load,
  loadNames,
  folder,
}) => {
  const file = join(folder, 'tls.properties');
  writeFileSync(file, `${FILES}tls.server.mode=disabled\ntls.enable=true\nother=1\n`);
  const text = `tls.config.file=${file}\ntls.server.certPath=/other.pem\ntls.server.mode=enforcing\n`;
  for (const { tls, warnings } of [
    { tls: load(text).values.tls, warnings: load(text).warnings },
    { tls: loadNames(text).options.tls, warnings: loadNames(text).warnings },
  ]) {
    const expected = {
      ...DEFAULT_TLS_SETTINGS,
      mode: 'enforcing',
      enable: true,
      ...FROM_FILES,
      configFile: file,
    };
    assert.equal(tls, expected);
    assert.equal(warnings, [
      `${file}: tls.server.mode has no effect: it has to stand in the file of -c.`,
      `${file}: tls.enable has no effect: it has to stand in the file of -c.`,
      `${file}: other has no effect: there is no such key for TLS.`,
    ]);
  }
  assert.throws(
    () => load(`tls.config.file=${folder}/none`),
    /configuration file .*none cannot be read: it does not exist\. Check tls\.config\.file\.$/,
  );
  writeFileSync(file, 'tls.server.need.client.auth=perhaps\n');
  assert.throws(
    () => load(text),
    /tls\.properties: tls\.server\.need\.client\.auth=perhaps is not possible: allowed is none or optional or require\.$/,
  );
});

test('what is not possible is told', ({ load, loadNames }) => {
  for (const start of [load, loadNames]) {
    assert.throws(() => start('tls.server.mode=required'), /allowed is disabled or permissive or enforcing/);
    assert.throws(() => start('tls.test.mode.enable=no'), /allowed is true or false/);
    assert.throws(() => start('tls.protocols=TLSv9'), /allowed is TLSv1\.2, TLSv1\.3, separated by commas/);
    assert.throws(() => start('tls.server.keyPath=$APP/key'), /it has to be a file of this machine/);
    assert.throws(
      () => start('tls.server.modes=enforcing'),
      /did you mean tls\.server\.mode\? It decides whether/,
    );
  }
});

test('lines that would leave a door open unnoticed', ({ load }) => {
  assert.throws(
    () => load('tls.server.need.client.auth=require'),
    /has no effect, and everybody is let in, as long as tls\.test\.mode\.enable is true .*\. Set tls\.test\.mode\.enable=false/,
  );
  load('tls.server.need.client.auth=require\ntls.server.mode=disabled\n');
  const own = 'tls.server.certPath=/c/cert.pem\ntls.server.keyPath=/c/key.pem\n';
  const ignored = load(`${own}tls.client.authServer=true\ntls.enable=true\n`).warnings.join();
  assert.match(
    ignored,
    /^tls\.server\.certPath and tls\.client\.authServer have no effect as long as tls\.test/,
  );
  const any = load(`${own}tls.test.mode.enable=false\ntls.server.need.client.auth=require\n`).warnings.join();
  assert.match(any, /takes any certificate, also one that a client has made for itself/);
});

test('passwords are shown to nobody, and cannot be guessed', ({ load, loadNames }) => {
  const { values } = load(FILES);
  const shown = new Map(new LiveProperties(values, undefined).all());
  assert.is(shown.get('tls.server.certPath'), '/c/server.pem');
  assert.equal(
    [...shown].filter(([name, value]) => /keyPassword|geheim/.test(`${name} ${value}`)),
    [],
  );
  const { properties } = loadNames(FILES);
  assert.match(properties, /^tls\.server\.certPath=\/c\/server\.pem$/m);
  assert.not.match(properties, /geheim|keyPassword/);
  const live = new LiveProperties(values, undefined);
  for (const guess of ['geheim', 'wrong']) {
    assert.throws(
      () => live.update(new Map([['tls.server.keyPassword', guess]])),
      /takes effect only at start/,
    );
  }
});

test.run();
