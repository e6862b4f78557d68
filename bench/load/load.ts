/** A whole run: connect, warm up, measure, drain. */
import type { LoadOptions } from './options.ts';
import type { OnPhase } from './phases.ts';
import { PullRun } from './pull-run.ts';
import type { LoadResult } from './recorder.ts';
import { SendRun } from './send-run.ts';

export function runLoad(options: LoadOptions, onPhase: OnPhase): Promise<LoadResult> {
  const run = options.mode === 'pull' ? new PullRun(options) : new SendRun(options);
  return run.run(onPhase);
}
