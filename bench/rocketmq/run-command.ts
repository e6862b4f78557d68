/** Programs that are run to their end: compilers, Maven, set-ups. */
import type { RunFolder } from './cleanup.ts';

/** What a person needs to see of a long complaint: its end. */
const TAIL_CHARACTERS = 2000;

/** Resolves when the program has ended well; rejects with `complaint` and the end of what it printed otherwise. */
export function runCommand(
  folder: RunFolder,
  program: { command: string; args: string[]; cwd: string },
  complaint: string,
): Promise<void> {
  const child = folder.start({ ...program, fetches: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${complaint}\n${output.slice(-TAIL_CHARACTERS)}`));
    });
  });
}
