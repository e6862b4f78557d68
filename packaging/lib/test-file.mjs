import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { root } from './paths.mjs';

const running = new Set();

/**
 * Runs one command of the test run in a process group of its own, so that nothing which it started outlives it.
 * Resolves `{ output, code, timedOut, seconds }`.
 */
export function runLimited(command, args, { limitSeconds, env = {} }) {
  const start = performance.now();
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child.pid);
  let output = '';
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, limitSeconds * 1000);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
  }
  return new Promise((resolve) => {
    child.on('error', (error) => {
      output += error.message;
    });
    // Its children may hold the pipes open after it is gone: end them, then the pipes close.
    child.on('exit', () => killGroup(child.pid));
    child.on('close', (code) => {
      clearTimeout(timer);
      running.delete(child.pid);
      resolve({ output, code, timedOut, seconds: (performance.now() - start) / 1000 });
    });
  });
}

/** Ends all that is still running: for an interrupted test run. */
export function killRunning() {
  for (const pid of running) killGroup(pid);
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Counts of a uvu run: `{ passed, failed, skipped, problem }`; a problem is a failure that no test reported. */
export function readSummary({ output, code, timedOut }, limitSeconds) {
  const text = stripVTControlCharacters(output);
  const number = (label) => Number(new RegExp(`^\\s*${label}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const [total, passed, skipped] = ['Total', 'Passed', 'Skipped'].map(number);
  if (timedOut) return { ...noTests, problem: `ran longer than ${limitSeconds} s` };
  if (Number.isNaN(total)) return { ...noTests, problem: `ended with code ${code} and without a summary` };
  const failed = total - passed;
  if (failed === 0 && code !== 0) return { passed, failed: 1, skipped, problem: `ended with code ${code}` };
  return { passed, failed, skipped, problem: '' };
}

const noTests = { passed: 0, failed: 1, skipped: 0 };
