/** The commands without any server: help, wrong use, scripts of shells, servers that fail. */
import { spawnSync } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { figuresFrom } from '../../../../src/cli/admin/cluster.ts';
import { propertiesOf } from '../../../../src/cli/admin/produce.ts';
import { ADMIN_COMMANDS, chosenAdminCommand } from '../../../../src/cli/admin-commands.ts';
import { fails, Run } from '../../../support/command-line.ts';

const test = suite('command line without servers');

/** Nothing listens there. */
const NOBODY = '127.0.0.1:1';

test('the command is found behind options and help', () => {
  assert.is(chosenAdminCommand(['topic', 'list']), 'topic');
  assert.is(chosenAdminCommand(['help', 'topic']), 'topic');
  assert.is(chosenAdminCommand(['broker', '--port', '0']), undefined);
  assert.is(chosenAdminCommand(['toString']), undefined);
  assert.is(chosenAdminCommand([]), undefined);
});

test('help lists all commands, and examples of each', async () => {
  const help = new Run(['--help']);
  assert.is(await help.ended, 0);
  for (const [name, description] of Object.entries(ADMIN_COMMANDS))
    assert.ok(help.out.includes(`  ${name} `), description);
  assert.not.match(help.out, /__words/);
  const produce = new Run(['produce', '--help']);
  assert.is(await produce.ended, 0);
  assert.match(produce.out, /\nExamples:\n {2}\$ ringmq produce orders -m /);
});

test('wrong use ends with 2, the nearest right one is named', async () => {
  assert.is(await fails(['topics', 'list'], /Did you mean topic\?/), 2);
  assert.is(await fails(['topic', 'lst'], /Did you mean list\?/), 2);
  assert.is(await fails(['topic', 'list', '--alll'], /Did you mean --all\?/), 2);
  assert.is(await fails(['topic', 'show'], /missing required argument 'topic'/), 2);
  assert.is(await fails(['completion', 'fsih'], /did you mean fish\?/), 2);
  assert.is(await fails(['cluster', '-n', 'host'], /give host:port/), 2);
});

test('a name server that is not there', async () => {
  assert.is(
    await fails(
      ['topic', 'list', '-n', NOBODY],
      /^No name server answers at 127\.0\.0\.1:1 \(.*\): start one/,
    ),
    1,
  );
  assert.is(
    await fails(['cluster'], /^No name server answers at 127\.0\.0\.1:1 /, { NAMESRV_ADDR: NOBODY }),
    1,
  );
});

test('a server that closes the connection instead of an answer', async () => {
  const server = createServer((socket: Socket) => socket.once('data', () => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  assert.is(
    await fails(
      ['cluster', '-n', address],
      /has closed the connection instead of an answer: it may want TLS \(--tls\)/,
    ),
    1,
  );
  server.close();
});

test('scripts of shells are sound', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const run = new Run(['completion', shell]);
    assert.is(await run.ended, 0);
    assert.match(run.out, /ringmq __words -- /);
    if (shell !== 'bash') continue;
    const { status, stderr } = spawnSync('bash', ['-n'], { input: run.out, encoding: 'utf8' });
    assert.is(status, 0, stderr);
  }
});

test('completion without servers offers what needs none', async () => {
  const words = async (...typed: string[]) => {
    const run = new Run(['__words', '--', ...typed], { NAMESRV_ADDR: NOBODY });
    assert.is(await run.ended, 0, run.err);
    return run.out.split('\n').filter((word) => word !== '');
  };
  assert.equal(await words('topic', 'cr'), ['create']);
  assert.equal(await words('bro'), ['broker']);
  assert.equal(await words('topic', 'show', ''), []);
  assert.equal(await words('completion', ''), ['bash', 'fish', 'zsh']);
  assert.equal(await words('log', 'dump', '--li'), ['--limit']);
});

test('properties of messages', () => {
  const properties = propertiesOf({ key: ['a', 'b'], tag: 't', property: ['x=1=2'], delay: '10s' });
  assert.equal(
    [...properties],
    [
      ['x', '1=2'],
      ['KEYS', 'a b'],
      ['TAGS', 't'],
      ['TIMER_DELAY_MS', '10000'],
    ],
  );
  assert.throws(() => propertiesOf({ property: ['x'] }), /give name=value/);
  assert.throws(() => propertiesOf({ delay: '1s', at: '18:30' }), /--delay and --at are two answers/);
});

test('figures of a broker', () => {
  const table = new Map([
    ['brokerVersionDesc', 'V5_5_0'],
    ['bootTimestamp', '1000'],
    ['putTps', '1.5 2 3'],
    ['getTransferredTps', ''],
    ['commitLogDiskRatio', '0.27'],
  ]);
  assert.equal(figuresFrom(table, 5_000), {
    version: 'V5_5_0',
    upMs: 4_000,
    inPerSecond: 1.5,
    outPerSecond: null,
    diskUsed: 0.27,
  });
  assert.equal(figuresFrom(new Map(), 0), {
    version: null,
    upMs: null,
    inPerSecond: null,
    outPerSecond: null,
    diskUsed: null,
  });
});

test.run();
