/** A whole run: connect, warm up, measure, drain. */
import { CollectRun } from './collect-run.ts';
import type { LoadOptions } from './options.ts';
import type { OnPhase } from './phases.ts';
import { PopRun } from './pop-run.ts';
import { PullRun } from './pull-run.ts';
import type { LoadResult } from './recorder.ts';
import { SendRun } from './send-run.ts';

export function runLoad(options: LoadOptions, onPhase: OnPhase): Promise<LoadResult> {
  const { mode } = options;
  if (mode === 'collect') return new CollectRun(options).run(onPhase);
  if (mode === 'pop') return new PopRun(options).run(onPhase);
  return mode === 'pull' ? new PullRun(options).run(onPhase) : new SendRun(options).run(onPhase);
}
