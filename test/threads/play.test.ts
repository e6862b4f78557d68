// `ringmq play` as a person has it: a whole script with its broker, kills and recoveries, and a session in a terminal.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryStore } from '../support/broker-process.ts';
import { Run } from '../support/command-line.ts';
import { Terminal } from '../support/pseudo-terminal.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const CTRL_C = '\x03';
const OTHER_SCREEN = '\x1b[?1049h';
const OWN_SCREEN = '\x1b[?25h\x1b[?1049l';

const test = suite('play');

/** What was printed from each action to the next one. */
class Played {
  readonly #parts: readonly string[];
  #at = 0;

  constructor(output: string) {
    this.#parts = output.split(/^> /m);
  }

  /** Of the next action of this name. */
  next(name: string): string {
    const found = this.#parts.findIndex((part, i) => i > this.#at && part.startsWith(name));
    assert.ok(found > 0, `there is ${name} behind ${this.#parts[this.#at]}`);
    this.#at = found;
    return this.#parts[found] as string;
  }
}

/** Numbers of the first place in a text that matches. */
function numbers(text: string, pattern: RegExp): number[] {
  const match = pattern.exec(text);
  assert.ok(match !== null, `${pattern} in ${text}`);
  return match.slice(1).map((one) => Number(one.replaceAll(',', '')));
}

/** Messages in the queues of play, as the last line of each in a picture has them. */
function inQueues(picture: string): number {
  return [...picture.matchAll(/^play\/\d +\d+ +([\d,]+)/gm)].reduce((sum, [, max]) => sum + Number(max), 0);
}

/** What is said of a thread that was ended while messages were sent: at last none was acknowledged. */
function endsUnanswered(said: string): void {
  const outcome = /acknowledged until it had, then none; (\d+) refused, (\d+) without an answer/;
  const [refused = 0, unanswered = 0] = numbers(said, outcome);
  assert.ok(refused + unanswered > 0, said);
}

async function play(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  const run = new Run(['play', ...args], { COLUMNS: '100', LC_ALL: 'C', ...env });
  await run.ended;
  return run;
}

test('a script from beginning to end: what was acknowledged and durable outlives all of it', async () => {
  const store = temporaryStore();
  try {
    const script =
      'send 40, restart, consume on, send 10, kill, tear 2, restart, send 5, kill, flip, restart, fill, free, kill-thread writer, send, restart, delay 1s, kill-thread network-0, restart, quit';
    const run = await play(['--store', join(store.directory, 'store'), '--script', script]);
    const played = new Played(run.out);
    assert.match(played.next('start'), /The broker serves after/);
    assert.match(played.next('send 40'), /^40 messages acknowledged/m);
    const clean = played.next('restart');
    assert.match(clean, /has ended with exit code 0\. A clean stop/);
    assert.match(clean, /Of 40 acknowledged messages the log has 40: none is missing\./);
    assert.match(played.next('send 10'), /^10 messages acknowledged/m);
    const killed = played.next('kill');
    assert.match(killed, /the process was ended by SIGKILL/);
    assert.match(killed, /^writer +ended/m);

    const [to, at] = numbers(played.next('tear 2'), /to ([\d,]+): 2 records from ([\d,]+) on/);
    assert.ok((to as number) > (at as number));
    const recovered = played.next('restart');
    assert.equal(numbers(recovered, /cut the log at (\d+)/), [at], 'the torn part, and nothing else');
    assert.equal(numbers(recovered, /logEnd ([\d,]+)/), [at]);
    assert.match(recovered, /Of 50 acknowledged messages the log has 48, and lacks 2\./);
    assert.match(recovered, /2 of them lay in what play has damaged: /);
    assert.is(inQueues(recovered), 48, 'the queues have as many');

    const end = at as number;
    assert.match(played.next('send 5'), /^5 messages acknowledged/m);
    const [flipped] = numbers(played.next('flip'), /in the body of the record at ([\d,]+)/);
    assert.ok((flipped as number) > end);
    const mended = played.next('restart');
    assert.equal(numbers(mended, /the log is damaged at (\d+)/), [flipped]);
    assert.not.match(mended, /cut the log/, 'what is behind the damage stays');
    assert.match(
      mended,
      /Of 55 acknowledged messages the log has 52, and lacks 1\. 2 had been lost before\./,
    );
    assert.is(inQueues(mended), 53, 'in place of the damaged one stands another');

    const full = played.next('fill');
    assert.match(full, /RLIMIT_FSIZE/);
    assert.match(full, /refused: .*is the disk full\?/);
    assert.match(full, /DISK FULL/);
    assert.match(played.next('free'), /: 1 message acknowledged of 1\./);

    const dead = played.next('kill-thread writer');
    endsUnanswered(dead);
    assert.match(dead, /has ended with exit code 1: .*stopped acknowledging: thread writer exited/);
    assert.match(played.next('send 1'), /That was not possible: send needs a broker that runs/);
    assert.match(played.next('restart'), /: none is missing|the log has \d+\. 3 had been lost before/);
    assert.match(played.next('delay 1s'), /SCHEDULE_TOPIC_XXXX/);
    assert.match(played.next('kill-thread network-0'), /thread network-0 exited/);
    assert.not.match(played.next('restart'), /fault of RingMQ/);
    assert.match(played.next('quit'), /exit code 0/);
    assert.is(await run.ended, 1, 'one action was not possible');
    assert.not.match(run.out, /fault of RingMQ/);
    assert.is(run.err, '');

    assert.ok(existsSync(join(store.directory, 'store/commitlog/ringmq.cut')));
    const check = new Run(['log', 'check', join(store.directory, 'store')]);
    assert.is(await check.ended, 0, check.out);
  } finally {
    store.remove();
  }
});

test('SYNC_FLUSH: what is acknowledged is synced; a killed flusher ends that', async () => {
  const run = await play(['--sync-flush', '--script', 'send 8, kill, restart, kill-thread flusher, quit']);
  const played = new Played(run.out);
  assert.match(played.next('send 8'), /answered when FLUSHED had passed it/);
  assert.match(played.next('kill'), /and all of it was synced\./);
  assert.match(played.next('restart'), /Of 8 acknowledged messages the log has 8: none is missing\./);
  const dead = played.next('kill-thread flusher');
  endsUnanswered(dead);
  assert.match(dead, /thread flusher exited/);
  assert.is(await run.ended, 0);
});

test('actions come from stdin, a line at a time; what harms needs a dead broker, the temporary store goes', async () => {
  const child = spawn(process.execPath, [MAIN, 'play'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, LC_ALL: 'C', COLUMNS: '250' },
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stdin.end('send 2\ntear, flip\nfree\nhelp\n');
  const [code] = await once(child, 'close');
  assert.is(code, 1);
  assert.match(out, /tear is for the files of a dead broker: "kill" it first\./);
  assert.match(out, /flip is for the files of a dead broker/);
  assert.match(out, /The disk has room: "fill" takes it\./);
  assert.match(out, /^kill-thread network-0\|writer/m);
  const [, directory = ''] = /store (\S+ringmq-temporary-\S+)/.exec(out) ?? [];
  assert.ok(directory !== '', out);
  const prefix = directory.slice(tmpdir().length + 1);
  assert.equal(
    readdirSync(tmpdir()).filter((name) => name.startsWith(prefix)),
    [],
  );
});

test('SIGTERM ends a script that waits, and its broker', async () => {
  const run = new Run(['play', '--script', 'send, wait 10m'], { LC_ALL: 'C' });
  while (!run.out.includes('wait 600s')) {
    assert.is(run.child.exitCode, null, run.out);
    await new Promise((resolve) => run.child.stdout?.once('data', resolve));
  }
  run.child.kill('SIGTERM');
  assert.is(await run.ended, 1);
  assert.match(run.out, /> quit\nProcess \d+ has ended with exit code 0/);
});

test('in a terminal: keys, the picture, and a terminal that is as before', async () => {
  const env = { ...process.env, NO_COLOR: '1', LC_ALL: 'C', TERM: 'xterm' };
  const terminal = new Terminal(`sh -c "'${process.execPath}' '${MAIN}' play; stty -a"`, { env });
  await terminal.shows(/The broker serves after/);
  assert.ok(terminal.screen.includes(OTHER_SCREEN));
  terminal.type('b');
  await terminal.shows(/100 messages acknowledged/);
  await terminal.shows(/APPENDED +4\d,\d{3}/);
  terminal.type('f');
  await terminal.shows(/flow on/);
  terminal.type('k');
  await terminal.shows(/The log ended at/);
  terminal.type('x');
  await terminal.shows(/Zeros stand now from/);
  terminal.type('r');
  await terminal.shows(/the log has (99|1\d\d), and lacks 1/);
  terminal.type('t');
  await terminal.shows(/End which thread\? 1 network-0 {2}2 writer/);
  terminal.type('3');
  await terminal.shows(/stopped acknowledging: thread dispatcher/);
  terminal.type(`\x1b[A?${CTRL_C}`);
  assert.is(await terminal.ended, 0, terminal.screen);
  const after = terminal.screen.slice(terminal.screen.lastIndexOf(OWN_SCREEN));
  assert.match(after, /[^-]icanon/);
  assert.match(after, /[^-]echo /);
  for (const colour of [31, 32, 33]) assert.not(terminal.screen.includes(`\x1b[${colour}m`), 'NO_COLOR');
});

test('SIGTERM gives the terminal back too', async () => {
  const line = `sh -c 'echo process $$; exec "${process.execPath}" "${MAIN}" play'`;
  const terminal = new Terminal(line, { env: { ...process.env, LC_ALL: 'C.UTF-8', TERM: 'xterm' } });
  const [, pid] = await terminal.shows(/process (\d+)/);
  await terminal.shows(/The broker serves after/);
  process.kill(Number(pid), 'SIGTERM');
  assert.is(await terminal.ended, 0, terminal.screen);
  assert.ok(terminal.screen.includes(OWN_SCREEN));
  assert.ok(terminal.screen.includes('█ synced'), 'blocks where the locale has them');
});

test.run();
