/** `ringmq play`: a broker to play with, in a terminal with a picture and keys, else by a script of actions. */
import { createInterface } from 'node:readline';
import { UserError } from '../../lib/user-error.ts';
import { addon } from '../../native/addon.ts';
import { Failure } from '../admin/failure.ts';
import { print } from '../admin/output.ts';
import { untilStopped } from '../admin/stopping.ts';
import { ExitCode } from '../exit-codes.ts';
import { ASCII, BLOCKS, type Glyphs } from './panels.ts';
import { type Frame, LEAST_COLUMNS, picture } from './picture.ts';
import { openPlayStore, type PlayStore } from './play-store.ts';
import { playInTerminal } from './play-terminal.ts';
import { Sandbox } from './sandbox.ts';
import { type Action, actionText, parseScript } from './script.ts';

export interface PlayFlags {
  store?: string;
  script?: string;
  syncFlush?: boolean;
}

/** Of a picture that goes into a file, unless COLUMNS says otherwise. */
const FILE_COLUMNS = 100;

export async function runPlay(flags: PlayFlags): Promise<void> {
  // A script with a mistake does nothing at all.
  const script = flags.script === undefined ? undefined : parseScript(flags.script);
  if (script?.length === 0) throw new UserError('--script has no action: "ringmq play --help" lists them.');
  // A file that is cut short while it is looked at must not end the process.
  addon.installFaultGuard();
  const store = await openPlayStore(flags.store, flags.syncFlush === true ? 'SYNC_FLUSH' : 'ASYNC_FLUSH');
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  try {
    if (script === undefined && isTerminal) process.exitCode = await playInTerminal(store, glyphsHere());
    else {
      const stopped = untilStopped();
      process.exitCode = await playScript(store, script ?? linesOfStdin(stopped), stopped);
    }
    if (!store.isTemporary) await print(`Its files are in ${store.directory}.`);
  } finally {
    store.end();
  }
}

/** Blocks where the locale says that the terminal can show them. */
function glyphsHere({ LC_ALL, LC_CTYPE, LANG } = process.env): Glyphs {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '') ? BLOCKS : ASCII;
}

/** What stands in one line is done before the next one is read. */
async function* linesOfStdin(stopped: AbortSignal): AsyncGenerator<Action> {
  const lines = createInterface({ input: process.stdin });
  stopped.addEventListener('abort', () => lines.close());
  for await (const line of lines) yield* parseScript(line);
}

/** Prints what each action says, and the picture after it. Resolves with the exit code. */
async function playScript(
  store: PlayStore,
  actions: Iterable<Action> | AsyncIterable<Action>,
  stopped: AbortSignal,
): Promise<number> {
  const stop = new Promise<string[]>((resolve) => {
    stopped.addEventListener('abort', () => resolve(['Told to stop.']));
  });
  const sandbox = new Sandbox(store, () => {});
  const columns = Math.max(LEAST_COLUMNS, Number(process.env['COLUMNS']) || FILE_COLUMNS);
  const frame: Frame = { columns, rows: undefined, colours: false, glyphs: glyphsHere() };
  let code: number = ExitCode.DONE;
  const show = async (what: string, work: () => Promise<string[]>) => {
    await print(`> ${what}`);
    try {
      for (const line of await Promise.race([work(), stop])) await print(line);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      code = ExitCode.FAILED;
      await print(`That was not possible: ${error.message}`);
    }
  };
  try {
    await show('start', () => sandbox.open());
    for await (const action of actions) {
      if (action.name === 'quit' || stopped.aborted) break;
      await show(actionText(action), () => sandbox.perform(action));
      if (action.name === 'help' || action.name === 'wait' || stopped.aborted) continue;
      const lines = picture(await sandbox.look(), frame).map((line) => line.trimEnd());
      await print(`\n${lines.join('\n')}\n`);
    }
  } finally {
    await print('> quit');
    for (const line of await sandbox.close()) await print(line);
  }
  return stopped.aborted ? ExitCode.FAILED : code;
}
