/** Asks before what cannot be taken back. */
import { createInterface } from 'node:readline';
import { UserError } from '../../lib/user-error.ts';
import { Failure } from './failure.ts';

/** `will`: a sentence that says what is going to be done. Rejects when nobody wants it. */
export async function confirm(will: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true)
    throw new UserError(
      `${will} Nothing was done, as nobody can be asked without a terminal: add --yes to go on.`,
    );
  const answer = await ask(`${will}\nGo on? [y/N] `);
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new Failure('Nothing was done.');
}

/** Ctrl-C and Ctrl-D are an empty answer. */
function ask(question: string): Promise<string> {
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    asked.once('close', () => resolve(''));
    asked.question(question, (answer) => {
      resolve(answer);
      asked.close();
    });
  });
}
