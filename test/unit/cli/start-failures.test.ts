/** Whatever keeps a server from starting: it ends with one sentence that says what is wrong. */
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explain } from '../../../src/cli/explain.ts';
import { selfSigned } from '../../../src/tls/self-signed.ts';
import { fails } from '../../support/command-line.ts';
import { FILE_SIZE, makeStore, QUEUE_FILE_SIZE, removeStore, SLOTS } from './store-support.ts';

const test = suite<{ directory: string }>('start failures');

/** Rights mean nothing to root: where root runs the tests, the start is somebody else's. */
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-start-'));
  chmodSync(context.directory, 0o755);
});

test.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const broker = (store: string, ...args: string[]) => [
  'broker',
  '--port',
  '0',
  '-n',
  '127.0.0.1:1',
  '--store',
  store,
  ...args,
];

/** Text as a part of a regular expression. */
const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function giveAway(path: string): void {
  chownSync(path, NOBODY, NOBODY);
  for (const entry of readdirSync(path, { recursive: true }))
    chownSync(join(path, String(entry)), NOBODY, NOBODY);
}

interface Case {
  name: string;
  /** Puts things in the way in an empty directory; returns the arguments. */
  prepare(directory: string): string[];
  /** The path that the sentence begins with, below the directory or absolute. */
  names: string;
  says: RegExp;
}

const file = (...parts: string[]): string => {
  const path = join(...parts);
  writeFileSync(path, '');
  return path;
};

const directory = (...parts: string[]): string => {
  const path = join(...parts);
  mkdirSync(path, { recursive: true });
  return path;
};

const IN_THE_WAY: readonly Case[] = [
  {
    name: 'a store in a file system that lets nobody make directories',
    prepare: () => broker('/proc/x/y'),
    names: '/proc/x',
    says: /cannot be made there.*another place/,
  },
  {
    name: 'a CommitLog there',
    prepare: (at) => {
      const conf = file(at, 'broker.conf');
      writeFileSync(conf, 'storePathCommitLog=/proc/x/y\n');
      return broker(join(at, 'store'), '-c', conf);
    },
    names: '/proc/x',
    says: /cannot be made there.*another place/,
  },
  {
    name: 'a file for a store',
    prepare: (at) => broker(file(at, 'store')),
    names: 'store',
    says: /has to be a directory/,
  },
  {
    name: 'a store below a file',
    prepare: (at) => broker(join(file(at, 'store'), 'below')),
    names: 'store',
    says: /has to be a directory/,
  },
  {
    name: 'a store behind a link that leads to itself',
    prepare: (at) => {
      symlinkSync('store', join(at, 'store'));
      return broker(join(at, 'store'));
    },
    names: 'store',
    says: /has to be a directory/,
  },
  {
    name: 'a name that is too long',
    prepare: (at) => broker(join(at, 'x'.repeat(300))),
    names: 'x'.repeat(300),
    says: /is too long.*another place/,
  },
  ...['commitlog', 'consumequeue', 'index', 'config'].map(
    (name): Case => ({
      name: `a file in place of the store's ${name}`,
      prepare: (at) => {
        file(directory(at, 'store'), name);
        return broker(join(at, 'store'));
      },
      names: `store/${name}`,
      says: /has to be a directory, and is none. Move away/,
    }),
  ),
  ...[
    'lock',
    'abort',
    'checkpoint',
    'ringmq.boot',
    'config/topics.json',
    'config/subscriptionGroup.json',
    'config/consumerOffset.json',
    'config/delayOffset.json',
  ].map(
    (name): Case => ({
      name: `a directory in place of the store's ${name}`,
      prepare: (at) => {
        directory(at, 'store', name);
        return broker(join(at, 'store'));
      },
      names: `store/${name}`,
      says: /has to be a file/,
    }),
  ),
  ...['config/topics.json', 'config/kvConfig.json'].map(
    (name): Case => ({
      name: `a ${name} that is no JSON`,
      prepare: (at) => {
        writeFileSync(join(directory(at, 'store', 'config'), name.slice(7)), '{');
        return ['standalone', '--namesrv-port', '0', ...broker(join(at, 'store')).slice(1)];
      },
      names: `store/${name}`,
      says: /Put a sound file in its place, or remove both/,
    }),
  ),
];

for (const { name, prepare, names, says } of IN_THE_WAY) {
  test(name, async ({ directory: at }) => {
    const path = literally(names.startsWith('/') ? names : join(at, names));
    await fails(prepare(at), new RegExp(`^${path}\\b.* ${says.source}[^\n]*\n$`));
  });
}

/** As `makeStore` makes files. */
const SIZES = `mappedFileSizeCommitLog=${FILE_SIZE}
mappedFileSizeConsumeQueue=${QUEUE_FILE_SIZE}
maxHashSlotNum=${SLOTS}
maxIndexNum=${4 * SLOTS}
maxMessageSize=16384
`;

test('an index that was made with other sizes', async () => {
  const store = await makeStore();
  try {
    const conf = file(store.root, 'broker.conf');
    writeFileSync(conf, SIZES.replace(`maxHashSlotNum=${SLOTS}`, 'maxHashSlotNum=7'));
    await fails(
      broker(store.root, '-c', conf),
      /All index files in \S+ have \d+ bytes, not \d+: set maxHashSlotNum/,
    );
  } finally {
    removeStore(store);
  }
});

/** Below a store that was in use: what somebody else than its owner may not do there. */
const WITHOUT_RIGHT: readonly (readonly [path: string, mode: number])[] = [
  ['.', 0o555],
  ['commitlog', 0o555],
  ['commitlog/00000000000000262144', 0o444],
  ['consumequeue', 0o555],
  ['index', 0o555],
  ['config', 0o555],
  ['config/topics.json', 0o200],
  ['lock', 0o444],
  ['checkpoint', 0o200],
];

for (const [path, mode] of WITHOUT_RIGHT) {
  test(`no right to use ${path} of the store`, async ({ directory: at }) => {
    const store = await makeStore();
    const target = join(store.root, path);
    const conf = file(at, 'broker.conf');
    writeFileSync(conf, SIZES);
    try {
      directory(store.root, 'config');
      if (path === 'config/topics.json') file(target);
      if (isRoot) giveAway(store.root);
      if (isRoot) chownSync(target, 0, 0);
      chmodSync(target, mode);
      const who = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
      const sentence = new RegExp(`${literally(target)}[^\n]*\n$`);
      await fails(broker(store.root, '-c', conf), sentence, { HOME: at }, who);
    } finally {
      chmodSync(target, 0o755);
      removeStore(store);
    }
  });
}

test('ports and addresses', async ({ directory: at }) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const store = join(at, 'store');
  try {
    for (const [args, sentence] of [
      [['broker', '--port', String(port), '--store', store], /is in use: stop .* another port \(--port/],
      [['namesrv', '--port', String(port)], /is in use: stop .* another port/],
      [['standalone', '--port', '0', '--namesrv-port', String(port), '--store', store], /is in use: stop/],
      [broker(store, '--host', '192.0.2.1'), /not an address of this machine: choose .*bindAddress/],
      [broker(store, '--host', 'nobody.invalid'), /^bindAddress=nobody\.invalid: no address is known here/],
      [['namesrv', '--port', '0', '--host', '192.0.2.1'], /not an address of this machine: choose/],
    ] as const) {
      await fails(args, sentence);
    }
  } finally {
    server.close();
  }
});

test('certificates that nobody can be served with end the start, for brokers and name servers', async ({
  directory: at,
}) => {
  const conf = join(at, 'some.conf');
  const pair = selfSigned(Date.now());
  const [cert, key, other] = ['cert.pem', 'key.pem', 'other.pem'].map((name) => join(at, name));
  writeFileSync(String(cert), pair.cert);
  writeFileSync(String(key), pair.key);
  writeFileSync(String(other), selfSigned(Date.now()).key);
  const own = (keyPath: unknown) => `tls.server.certPath=${cert}\ntls.server.keyPath=${keyPath}\n`;
  for (const [text, sentence] of [
    ['', /^tls\.test\.mode\.enable=false needs a certificate of your own: set tls\.server\.certPath and/],
    [
      own(other),
      /^The key of tls\.server\.keyPath=.*other\.pem does not fit the certificate of .*cert\.pem: /,
    ],
    [own(join(at, 'none')), /^The file of tls\.server\.keyPath=.*none cannot be read: it does not exist\./],
    [own(cert), /^The file of tls\.server\.keyPath=.* holds no key: it begins with -----BEGIN CERT/],
    [`${own(key)}tls.ciphers=TLS_NONE\n`, /^tls\.ciphers: there is no TLS_NONE here\. Take it out/],
  ] as const) {
    writeFileSync(conf, `tls.test.mode.enable=false\n${text}`);
    await fails(broker(join(at, 'store'), '-c', conf), sentence);
    await fails(['namesrv', '--port', '0', '-c', conf], sentence);
  }
});

test('what the system says, in a sentence with the path and what to do', () => {
  for (const [code, sentence] of [
    ['EROFS', /^\/a\/b is on a file system that can only be read\. Choose another place/],
    ['ENOSPC', /^\/a\/b finds no room: the disk is full\. Free/],
    ['EDQUOT', /^\/a\/b finds no room: .*quota.*Free/],
    ['EIO', /^\/a\/b cannot be used \(EIO\)/],
    ['EMFILE', /^\/a\/b cannot be used \(EMFILE\)/],
  ] as const) {
    assert.match(explain(Object.assign(new Error('x'), { code, path: '/a/b', syscall: 'open' })), sentence);
  }
  const port = Object.assign(new Error('x'), {
    code: 'EACCES',
    syscall: 'listen',
    address: '127.0.0.1',
    port: 80,
  });
  assert.match(explain(port), /^127\.0\.0\.1:80 may not be used by this user: choose a port above 1023\.$/);
  const host = Object.assign(new Error('x'), {
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    hostname: 'nowhere',
  });
  assert.match(explain(host), /^nowhere is not known here: choose another --host\.$/);
});

test.run();
