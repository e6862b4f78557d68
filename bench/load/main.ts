/**
 * Load generator: one process, one result line of JSON on stdout. A parent that opened an IPC channel also hears when
 * each phase begins and answers, so that it can take its own readings of the broker for the measured phase alone.
 */
import { runLoad } from './load.ts';
import { LOAD_USAGE, parseLoadOptions } from './options.ts';
import type { LoadPhase } from './phases.ts';

function askParent(phase: LoadPhase): Promise<void> {
  if (!process.connected) return Promise.resolve();
  return new Promise((resolve) => {
    process.once('message', () => resolve());
    process.once('disconnect', () => process.exit(1));
    process.send?.({ phase });
  });
}

async function main(): Promise<void> {
  let options: ReturnType<typeof parseLoadOptions>;
  try {
    options = parseLoadOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${LOAD_USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  const result = await runLoad(options, askParent);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`load generator: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  process.removeAllListeners('disconnect');
  if (process.connected) process.disconnect();
}
