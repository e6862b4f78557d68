/** Asks before what cannot be taken back. */
import { createInterface } from 'node:readline/promises';
import { UserError } from '../../lib/user-error.ts';
import { Failure } from './failure.ts';

/** `will`: a sentence that says what is going to be done. Rejects when nobody wants it. */
export async function confirm(will: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true)
    throw new UserError(
      `${will} Nothing was done, as nobody can be asked without a terminal: add --yes to go on.`,
    );
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asked.question(`${will}\nGo on? [y/N] `);
    if (!/^y(?:es)?$/i.test(answer.trim())) throw new Failure('Nothing was done.');
  } finally {
    asked.close();
  }
}
