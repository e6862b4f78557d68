// Runs every command of the table, in its order and in one JVM, and gives back what was printed, masked.

import { existsSync, readFileSync } from 'node:fs';
import { javaKit } from '../support/clients.ts';
import { Dialogue } from '../support/dialogue.ts';
import type { Cluster } from '../support/target.ts';
import { type Command, type Run, runsOf, wordsOf } from './command.ts';
import { askAll } from './console.ts';
import { normalise } from './normalise.ts';
import { Scene } from './scene.ts';

const PATIENCE_MS = 90_000;
const SETTLES_WITHIN_MS = 40_000;

/** What mqadmin prints without a command: all of them. */
export const HELP = '(help)';
const HELP_WORD = 'help';

/** By command line, as it stands in the table. */
export type Transcript = Record<string, string[]>;

export function titleOf(command: Command, run: Run): string {
  const about = run.about === undefined ? '' : ` (${run.about})`;
  return `${command.name} ${run.args}`.trim() + about;
}

export async function runAll(cluster: Cluster, commands: readonly Command[]): Promise<Transcript> {
  const scene = new Scene(cluster);
  const where = { cwd: scene.folder };
  // Some commands write into the folder for temporary files.
  const kit = javaKit('5.5', `-Djava.io.tmpdir=${scene.folder}`);
  const program = kit.start('MqAdmin', { namesrv: cluster.nameServer.address }, where);
  const dialogue = new Dialogue(program, PATIENCE_MS);
  const transcript: Transcript = { [HELP]: await help(dialogue) };
  try {
    for (const command of commands) {
      const started = performance.now();
      await command.before?.(scene);
      for (const run of runsOf(command)) {
        transcript[titleOf(command, run)] = await output(dialogue, scene, command, run);
      }
      if (process.env['INTEROP_TIMES'] === '1') {
        console.error(`${Math.round(performance.now() - started)} ms  ${command.name}`);
      }
    }
    await dialogue.end();
    Object.assign(transcript, await askAll(scene));
  } finally {
    scene.close();
  }
  return transcript;
}

async function help(dialogue: Dialogue): Promise<string[]> {
  return normalise(String(await dialogue.ask(HELP_WORD)), { args: '' }, new Map());
}

async function output(dialogue: Dialogue, scene: Scene, command: Command, run: Run): Promise<string[]> {
  const words = [command.name, ...wordsOf(scene.fill(run.args))];
  if (run.until !== undefined) words.unshift(`until=${run.until}`);
  const ask = async (): Promise<string> => String(await dialogue.ask(words.join('\t')));
  let text = await ask();
  for (const end = Date.now() + SETTLES_WITHIN_MS; run.settles?.test(text) === false && Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    text = await ask();
  }
  for (const [name, pattern] of Object.entries(run.learns ?? {})) {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`${titleOf(command, run)} does not tell ${name}:\n${text}`);
    scene.learn(name, found);
  }
  if (run.writes !== undefined) text += fileText(scene.fill(run.writes));
  return normalise(text, run, scene.masked());
}

function fileText(path: string): string {
  return existsSync(path) ? `\n--- file\n${readFileSync(path, 'utf8')}` : '\n--- no file';
}
