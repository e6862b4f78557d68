/** How a fuzz test runs: by a seed that is printed on failure, so often as the run allows. */
import fc from 'fast-check';
import { fullRun } from '../support/random.ts';

/** FUZZ_SEED=<n> runs with another seed; a failure names the seed that it was found with. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20260101);

export function fuzz<T>(inputs: fc.Arbitrary<T>, holds: (input: T) => void, runs: number): void {
  fc.assert(
    fc.property(inputs, (input) => {
      holds(input);
    }),
    { seed: SEED, numRuns: fullRun ? runs * 15 : runs, includeErrorInReport: true },
  );
}
