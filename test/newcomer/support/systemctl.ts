// `systemctl` for the page about operation, on machines where no systemd runs: starts and stops a unit as its file
// asks. Knows as much of systemd as that file uses, and refuses the rest.

import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.env['PAGES_ROOT'] as string;
const READY_MS = 60_000;
const POLL_MS = 50;

/** Settings that are acted on here, and those that concern what a test cannot or need not do. */
const KNOWN = new Set(['Type', 'ExecStart', 'KillMode', 'TimeoutStopSec', 'LimitNOFILE', 'Restart']);
const LEFT_OUT = new Set([
  'TimeoutStartSec',
  'WatchdogSec',
  'RestartPreventExitStatus',
  'User',
  'RestartSec',
  'StateDirectory',
  'Description',
  'After',
  'Wants',
  'WantedBy',
]);

interface Unit {
  readonly settings: ReadonlyMap<string, string>;
  readonly pidFile: string;
}

function unitOf(name: string): Unit {
  const short = name.replace(/\.service$/, '');
  const lines = readFileSync(join(root, 'etc/systemd/system', `${short}.service`), 'utf8').split('\n');
  const settings = new Map<string, string>();
  for (const line of lines.filter((one) => one.includes('=') && !one.startsWith('#'))) {
    const key = line.slice(0, line.indexOf('='));
    if (!KNOWN.has(key) && !LEFT_OUT.has(key)) throw new Error(`the test's systemctl does not know ${key}`);
    settings.set(key, line.slice(line.indexOf('=') + 1).trim());
  }
  return { settings, pidFile: join(root, `${short}.unit.pid`) };
}

async function start({ settings, pidFile }: Unit): Promise<void> {
  const journal = join(root, 'journal');
  const output = openSync(journal, 'a');
  const before = readFileSync(journal, 'utf8').length;
  const limit = `ulimit -n ${settings.get('LimitNOFILE')}`;
  const child = spawn('bash', ['-c', `${limit}; exec ${settings.get('ExecStart')}`], {
    cwd: root,
    stdio: ['ignore', output, output],
    detached: true,
  });
  writeFileSync(pidFile, String(child.pid));
  for (const until = Date.now() + READY_MS; !ready(journal, before); ) {
    if (child.exitCode !== null || Date.now() > until)
      throw new Error(`not ready:\n${readFileSync(journal, 'utf8').slice(before)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  child.unref();
}

function ready(journal: string, from: number): boolean {
  return readFileSync(journal, 'utf8').slice(from).includes('RingMQ ready');
}

/** `mixed` signals the main process, `control-group` all of them; in the end both kill what is left. */
async function stop({ settings, pidFile }: Unit): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  signal(settings.get('KillMode') === 'control-group' ? -pid : pid, 'SIGTERM');
  const until = Date.now() + Number.parseInt(settings.get('TimeoutStopSec') ?? '90', 10) * 1000;
  while (signal(-pid, 0)) {
    if (Date.now() > until) {
      signal(-pid, 'SIGKILL');
      throw new Error('had to be killed');
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  rmSync(pidFile);
}

/** Whether there is somebody to signal. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

const [action = '', ...rest] = process.argv.slice(2);
const name = rest.find((word) => !word.startsWith('-')) ?? '';
if (action === 'start' || (action === 'enable' && rest.includes('--now'))) await start(unitOf(name));
else if (action === 'stop') await stop(unitOf(name));
else if (action === 'restart') {
  await stop(unitOf(name));
  await start(unitOf(name));
} else if (action !== 'daemon-reload') throw new Error(`the test's systemctl does not know ${action}`);
