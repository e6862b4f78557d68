/** The certificates of a server: what a start refuses, and what becomes of files that change while it runs. */
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Certificates } from '../../../src/tls/certificates.ts';
import { selfSigned } from '../../../src/tls/self-signed.ts';
import { DEFAULT_TLS_SETTINGS, type ServerTls, type TlsSettings } from '../../../src/tls/settings.ts';
import { recordingLog } from '../../support/recording-log.ts';

interface Context {
  folder: string;
}

const test = suite<Context>('certificates');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'ringmq-certificates-'));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const old = selfSigned(Date.now());
const next = selfSigned(Date.now());

/** Settings with `pair` as the port's own certificate. */
function settingsIn(folder: string, pair = old): TlsSettings {
  writeFileSync(join(folder, 'cert.pem'), pair.cert);
  writeFileSync(join(folder, 'key.pem'), pair.key);
  return {
    ...DEFAULT_TLS_SETTINGS,
    testMode: false,
    serverCertPath: join(folder, 'cert.pem'),
    serverKeyPath: join(folder, 'key.pem'),
  };
}

/** Replaces a file as programs that renew certificates do. */
function replace(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, 'new'), text);
  renameSync(join(folder, 'new'), join(folder, name));
}

function looking(certificates: Certificates) {
  const { log, lines } = recordingLog();
  const replaced: ServerTls[] = [];
  return { lines, replaced, look: () => certificates.look(log, (tls) => replaced.push(tls)) };
}

test('test mode reads no file and has no certificate until somebody asks for it', () => {
  const certificates = new Certificates({ ...DEFAULT_TLS_SETTINGS, serverCertPath: '/no/such/file' });
  assert.equal(certificates.server(), {
    mode: 'permissive',
    terms: {},
    clientAuth: 'none',
    verifyClients: false,
    pem: undefined,
  });
  assert.is(certificates.client(), undefined);
  const client = new Certificates({ ...DEFAULT_TLS_SETTINGS, enable: true, clientAuthServer: true }).client();
  assert.equal(client, { terms: {}, verifyServer: false, pem: {} }, 'everybody is trusted');
});

test('without test mode a port needs a certificate, and the start says so', ({ folder }) => {
  const bare: TlsSettings = { ...DEFAULT_TLS_SETTINGS, testMode: false };
  assert.throws(
    () => new Certificates(bare),
    /tls\.test\.mode\.enable=false needs a certificate of your own: set/,
  );
  assert.is(new Certificates({ ...bare, mode: 'disabled' }).server().mode, 'disabled');
  const settings = settingsIn(folder);
  assert.equal(new Certificates(settings).server().pem, old);
  writeFileSync(settings.serverKeyPath, next.key);
  assert.throws(() => new Certificates(settings), /does not fit/);
});

test('client certificates and trust go where they belong', ({ folder }) => {
  const settings = settingsIn(folder);
  const trust = join(folder, 'trust.pem');
  writeFileSync(trust, next.cert);
  const certificates = new Certificates({
    ...settings,
    enable: true,
    needClientAuth: 'require',
    serverAuthClient: true,
    serverTrustCertPath: trust,
    clientCertPath: settings.serverCertPath,
    clientKeyPath: settings.serverKeyPath,
    clientAuthServer: true,
    clientTrustCertPath: trust,
  });
  const pem = { ...old, ca: next.cert };
  assert.equal(certificates.server(), {
    mode: 'permissive',
    terms: {},
    clientAuth: 'require',
    verifyClients: true,
    pem,
  });
  assert.equal(certificates.client(), { terms: {}, verifyServer: true, pem });
  const trusting = new Certificates({
    ...settings,
    enable: true,
    serverTrustCertPath: '/none',
    clientTrustCertPath: '/none',
  });
  assert.equal(trusting.client()?.pem, {}, 'trust that nobody asks for is not read');
});

test('files that change are read again; half a change waits for the other half', ({ folder }) => {
  const certificates = new Certificates(settingsIn(folder));
  const { lines, replaced, look } = looking(certificates);
  look();
  assert.equal([replaced.length, lines.length], [0, 0], 'nothing has changed');

  replace(folder, 'cert.pem', next.cert);
  look();
  look();
  assert.is(replaced.length, 0, 'the key does not fit yet');
  assert.is(lines.length, 1, 'which is told once');
  assert.equal(certificates.server().pem, old, 'and the old ones stay');

  replace(folder, 'key.pem', next.key);
  look();
  assert.equal(replaced[0]?.pem, next);
  assert.equal(certificates.server().pem, next);
  assert.is(lines.at(-1)?.message, 'TLS certificates read anew');
  look();
  assert.is(replaced.length, 1);
});

test('a file that goes, turns to nonsense or is only touched breaks nothing', ({ folder }) => {
  const certificates = new Certificates(settingsIn(folder));
  const { lines, replaced, look } = looking(certificates);
  unlinkSync(join(folder, 'cert.pem'));
  look();
  replace(folder, 'cert.pem', 'nonsense');
  look();
  assert.is(lines.length, 2);
  assert.match(JSON.stringify(lines), /does not exist.*PEM form/);
  replace(folder, 'cert.pem', old.cert);
  look();
  assert.equal([replaced.length, lines.length], [0, 2], 'the same certificate again is no news');
  replace(folder, 'key.pem', next.key);
  replace(folder, 'cert.pem', next.cert);
  look();
  assert.equal(replaced[0]?.pem, next);
});

test('a link that is turned is a change', ({ folder }) => {
  const settings = settingsIn(folder);
  for (const [name, text] of Object.entries({ 'old.cert': old.cert, 'next.cert': next.cert })) {
    writeFileSync(join(folder, name), text);
  }
  const link = join(folder, 'link');
  symlinkSync(join(folder, 'old.cert'), link);
  const certificates = new Certificates({ ...settings, serverCertPath: link });
  const { replaced, look } = looking(certificates);
  unlinkSync(link);
  symlinkSync(join(folder, 'next.cert'), link);
  replace(folder, 'key.pem', next.key);
  look();
  assert.equal(replaced[0]?.pem, next);
});

test('watching looks again and again, until it is closed', ({ folder }) => {
  const certificates = new Certificates(settingsIn(folder));
  const due: (() => void)[] = [];
  const timers = {
    after: (_: number, task: () => void) => {
      due.push(task);
      return () => {
        due.length = 0;
      };
    },
  };
  const replaced: ServerTls[] = [];
  certificates.watch(recordingLog().log, timers, (tls) => replaced.push(tls));
  due.shift()?.();
  replace(folder, 'cert.pem', next.cert);
  replace(folder, 'key.pem', next.key);
  due.shift()?.();
  assert.is(replaced.length, 1);
  assert.is(due.length, 1);
  certificates.close();
  assert.is(due.length, 0);
});

test.run();
