/** `ringmq log dump` and `ringmq log check` as commands: options, output, exit code. */
import { writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { integer } from '../../config/key.ts';
import { UserError } from '../../lib/user-error.ts';
import { visibleText } from '../../lib/visible.ts';
import { addon } from '../../native/addon.ts';
import { readOnlyDisk } from '../../store/disk/read-only-disk.ts';
import { ExitCode } from '../exit-codes.ts';
import { checkStore } from './check.ts';
import { type DumpOptions, dumpStore } from './dump.ts';
import { storeAt } from './store-files.ts';

export interface LogFlags {
  file?: string;
  topic?: string;
  queue?: string;
  from?: string;
  limit?: string;
  json?: boolean;
  hex?: boolean;
  explain?: boolean;
  at?: string;
  commitlog?: string;
  indexSlots?: string;
}

const NUMBERS = ['queue', 'from', 'limit', 'indexSlots'] as const;
const STDOUT = 1;

export function runDump(directory: string, flags: LogFlags): void {
  prepare();
  const options = dumpOptions(flags);
  const { root, file } = storeAt(readOnlyDisk, resolve(directory));
  if (file !== undefined && options.file === undefined) options.file = file;
  if (dumpStore(readOnlyDisk, root, options, printer(), progress) > 0) process.exitCode = ExitCode.FAILED;
}

export function runCheck(directory: string, flags: LogFlags): void {
  prepare();
  const { commitlog, indexSlots, explain = false, json = false } = dumpOptions(flags);
  const options = {
    explain,
    json,
    ...(commitlog === undefined ? {} : { commitlog }),
    ...(indexSlots === undefined ? {} : { indexSlots }),
  };
  const print = printer();
  const { count } = checkStore(
    readOnlyDisk,
    resolve(directory),
    options,
    (line) => print(`${line}\n`),
    progress,
  );
  if (count > 0) process.exitCode = ExitCode.FAILED;
}

function progress(line: string): void {
  process.stderr.write(`${visibleText(line)}\n`);
}

/** A broken disk, or a file that is cut short while it is read, must give an error and not end the process. */
function prepare(): void {
  addon.installFaultGuard();
}

function dumpOptions(flags: LogFlags): DumpOptions {
  const { queue: _q, from: _f, limit: _l, indexSlots: _i, commitlog, ...rest } = flags;
  const options: DumpOptions = { ...rest };
  if (commitlog !== undefined) options.commitlog = resolve(commitlog);
  for (const name of NUMBERS) {
    const text = flags[name];
    if (text === undefined) continue;
    const value = integer(0, Number.MAX_SAFE_INTEGER).parse(text);
    if (value === undefined)
      throw new UserError(`--${name} ${text} is not possible: give a whole number from 0.`);
    options[name] = value;
  }
  return options;
}

/** Synchronous, so that big dumps do not pile up in memory; ends quietly when the reader has seen enough (`| head`). */
function printer(): (text: string) => void {
  return (text) => {
    const bytes = Buffer.from(visibleText(text));
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(STDOUT, bytes, at);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPIPE') process.exit(ExitCode.DONE);
        if (code !== 'EAGAIN') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  };
}
