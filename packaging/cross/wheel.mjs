/** What comes from PyPI: a wheel is a zip archive, and pip looks whether it has the sum that is asked for. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError, troubleIn } from '../lib/errors.mjs';
import { run } from '../lib/exec.mjs';

const python = process.env.PYTHON || 'python3';

/**
 * Unpacks the one wheel that the arguments of `pip download` ask for; the folder is there when all of it is. `finish`
 * is given it before that.
 */
export async function unpackWheel(args, folder, finish = () => {}) {
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(join(dirname(folder), 'fresh-'));
  try {
    const how = ['--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--dest', fresh];
    await must(['-m', 'pip', 'download', ...how, ...args], 'It takes Python 3 with pip, and PyPI.');
    const wheel = readdirSync(fresh).find((name) => name.endsWith('.whl'));
    await must(['-m', 'zipfile', '-e', join(fresh, wheel), join(fresh, 'unpacked')], 'It was not unpacked.');
    finish(join(fresh, 'unpacked'));
    renameSync(join(fresh, 'unpacked'), folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

async function must(args, why) {
  const { ok, output } = await run(python, args);
  if (!ok)
    throw new SetupError(`${output}\n${troubleIn(output) ?? `A package of PyPI could not be had. ${why}`}`);
}
