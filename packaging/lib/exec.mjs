import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from './paths.mjs';

const running = new Set();

/**
 * Runs a program in the project folder and collects what it prints; `onOutput` gets that piece by piece. It leads a
 * process group, so that `endRunning` reaches what it has started, compilers for instance.
 */
export function run(command, args, { env = process.env, cwd = root, onOutput = () => {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        output += chunk;
        onOutput(chunk);
      });
    }
    child.on('error', (error) => {
      running.delete(child);
      resolve({ ok: false, output: error.message });
    });
    child.on('close', (code) => {
      running.delete(child);
      resolve({ ok: code === 0, output });
    });
  });
}

/** Ends all programs that are still running, with what they have started. */
export function endRunning() {
  for (const { pid } of running) {
    try {
      process.kill(-pid, 'SIGTERM');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

/** Whether a program can be started by its bare name. */
export function isInstalled(command) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The environment without the names that match: settings of npm that would reach node-gyp. */
export function environmentWithout(pattern) {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !pattern.test(name)));
}
