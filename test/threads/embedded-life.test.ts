// How long an embedded broker lives, and what it leaves: host programs as processes of their own, ended in every way.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { readQueue, sendRequest, startBrokerProcess } from '../support/broker-process.ts';

const LIBRARY = new URL('../../src/index.js', import.meta.url).href;

const test = suite<{ folder: string }>('life of an embedded broker');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'ringmq-test-'));
});
test.after.each(async ({ folder }) => {
  for (const child of living) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  rmSync(folder, { recursive: true, force: true });
});

interface Host {
  readonly pid: number;
  /** The JSON of its next line; undefined when it has ended. */
  says(): Promise<Record<string, string> | undefined>;
  /** Exit code or signal, and what it wrote to stderr. */
  readonly ended: Promise<{ end: number | string | null; err: string }>;
  kill(signal: NodeJS.Signals): void;
}

/** Those that a test which failed has left running are ended with it. */
const living = new Set<ChildProcess>();

/** A program of these lines; `say(object)` tells the test, `startBroker` is there. Temporary stores lie in `folder`. */
function host(folder: string, lines: string, flags: readonly string[] = []): Host {
  const program = `import { startBroker } from ${JSON.stringify(LIBRARY)};
    import { Worker } from 'node:worker_threads';
    import { writeSync } from 'node:fs';
    const say = (what) => writeSync(1, JSON.stringify(what) + '\\n');
    ${lines}`;
  const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  living.add(child);
  child.once('close', () => living.delete(child));
  let err = '';
  child.stderr.on('data', (data) => {
    err += data;
  });
  const output = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = new Promise<{ end: number | string | null; err: string }>((resolve) => {
    child.once('close', (code, signal) => resolve({ end: code ?? signal, err }));
  });
  return {
    pid: child.pid as number,
    says: async () => {
      const { value, done } = await output.next();
      return done === true ? undefined : JSON.parse(value);
    },
    ended,
    kill: (signal) => child.kill(signal),
  };
}

async function send(broker: string, key: string): Promise<void> {
  const client = new CommandClient({ address: broker });
  const reply = await client.request(sendRequest('kept', 0, key, Buffer.from('x')), 10_000);
  assert.is(reply.code, 0, reply.remark);
  client.close();
}

const ENDS: readonly [what: string, lines: string, code: number][] = [
  ['has nothing else to do', '', 0],
  ['calls process.exit', 'process.exit(3);', 3],
  ['throws', "setImmediate(() => { throw new Error('thrown by the host'); });", 1],
];

for (const [what, lines, code] of ENDS) {
  test(`a host that ${what} ends although nobody closes its brokers, and no temporary store is left`, async ({
    folder,
  }) => {
    const process = host(folder, `await startBroker(); say(await startBroker()); ${lines}`);
    assert.match((await process.says())?.['nameServer'] ?? '', /^127\.0\.0\.1:\d+$/);
    const { end, err } = await process.ended;
    assert.is(end, code, err);
    if (code !== 1) assert.is(err, '');
    assert.equal(readdirSync(folder), []);
  });
}

test('a store that was given is closed in order when its host exits', async ({ folder }) => {
  const store = join(folder, 'store');
  const lines = `say(await startBroker({ store: ${JSON.stringify(store)} })); process.on('SIGTERM', () => process.exit());
    setInterval(() => {}, 1000);`;
  const process = host(folder, lines);
  const ready = await process.says();
  await send(ready?.['broker'] as string, 'before the exit');
  process.kill('SIGTERM');
  const { end, err } = await process.ended;
  assert.equal([end, err], [0, '']);
  assert.ok(existsSync(join(store, 'checkpoint')));
  assert.not.ok(existsSync(join(store, 'abort')), 'the mark of a store that is not closed');
  const next = await startBrokerProcess(store);
  const client = new CommandClient({ address: next.broker });
  assert.equal(await readQueue(client, 'kept', 0), ['before the exit']);
  client.close();
  next.child.kill('SIGTERM');
  await next.ended;
});

test('the next start removes what a killed host has left, and nothing of one that lives', async ({
  folder,
}) => {
  const start = 'const broker = await startBroker(); say(broker);';
  const killed = host(folder, `${start} setInterval(() => {}, 1000);`);
  const living = host(folder, `${start} setInterval(() => {}, 1000);`);
  const left = (await killed.says())?.['store'] as string;
  const used = (await living.says())?.['store'] as string;
  killed.kill('SIGKILL');
  await killed.ended;
  assert.ok(existsSync(left));
  // Its close waits for the removal, which does not hold up the start.
  const next = host(folder, `${start} await broker.close(); say({ closed: 'yes' });`);
  await next.says();
  assert.equal(await next.says(), { closed: 'yes' });
  assert.is((await next.ended).end, 0);
  assert.not.ok(existsSync(left));
  assert.ok(existsSync(join(used, 'commitlog')));
  living.kill('SIGKILL');
  await living.ended;
});

test('a broker that is referenced keeps its host alive, until it is not any more', async ({ folder }) => {
  const process = host(
    folder,
    `const broker = (await startBroker()).ref().ref();
    process.on('exit', () => say({ now: 'exit' }));
    process.once('SIGTERM', () => { say({ now: 'signal' }); broker.unref(); });
    say(broker);`,
  );
  const broker = (await process.says())?.['broker'] as string;
  await send(broker, 'a');
  await send(broker, 'b');
  process.kill('SIGTERM');
  assert.equal([await process.says(), await process.says()], [{ now: 'signal' }, { now: 'exit' }]);
  assert.is((await process.ended).end, 0);
});

test('a start and a close keep the host alive until they are done', async ({ folder }) => {
  const process = host(
    folder,
    `const broker = await startBroker(); await broker.close(); say({ done: 'yes' });`,
  );
  assert.equal(await process.says(), { done: 'yes' });
  assert.is((await process.ended).end, 0);
  assert.equal(readdirSync(folder), []);
});

test('a start that may make no thread rejects with its own error and leaves no temporary store', async ({
  folder,
}) => {
  const known = (flag: string) => process.allowedNodeEnvironmentFlags.has(flag);
  const permission = known('--permission') ? '--permission' : '--experimental-permission';
  const addons = known('--allow-addons') ? ['--allow-addons'] : [];
  const flags = [permission, '--allow-fs-read=*', '--allow-fs-write=*', ...addons];
  const child = host(
    folder,
    `const error = await startBroker({ log: 'silent' }).catch((reason) => reason);
    say({ name: error.name, code: error.code, cause: error.cause.code, message: error.message });`,
    flags,
  );
  const said = await child.says();
  assert.is((await child.ended).end, 0);
  assert.equal([said?.['name'], said?.['code']], ['RingMQError', 'RINGMQ_START_FAILED']);
  assert.is(said?.['cause'], 'ERR_ACCESS_DENIED');
  assert.match(said?.['message'] ?? '', /^startBroker: /);
  assert.equal(readdirSync(folder), []);
});

test('a worker thread may be the host', async ({ folder }) => {
  const worker = `const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(LIBRARY)}).then(async ({ startBroker }) => {
      const { broker } = await startBroker();
      parentPort.postMessage({ broker });
      process.exit();
    });`;
  const process = host(
    folder,
    `const worker = new Worker(${JSON.stringify(worker)}, { eval: true, execArgv: [] });
    worker.on('message', say);
    worker.on('exit', (code) => say({ code: String(code) }));`,
  );
  assert.match((await process.says())?.['broker'] ?? '', /^127/);
  assert.equal(await process.says(), { code: '0' });
  assert.is((await process.ended).end, 0);
  assert.equal(readdirSync(folder), []);
});

test.run();
