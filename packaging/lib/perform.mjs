import { endRunning } from './exec.mjs';
import { releaseSetupLock, withSetupLock } from './lock.mjs';
import { Progress } from './progress.mjs';
import { requireMachine, requireWritable, TOOLS } from './tools.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Performs the steps that are due, after a look at the machine; resolves with their number. */
export function performDue(steps, stream) {
  const due = steps.filter((step) => step.isDue());
  requireMachine(due.flatMap((step) => TOOLS[step.needs] ?? []));
  requireWritable();
  return withSetupLock(() => endingWithSignals(() => performInTurn(steps, stream)));
}

async function performInTurn(steps, stream) {
  let performed = 0;
  for (const step of steps) {
    // Asked again: an earlier step may have changed the answer, or another process may have done it.
    if (!step.isDue()) continue;
    await performAloud(step, stream);
    performed += 1;
  }
  return performed;
}

async function performAloud(step, stream) {
  const progress = new Progress(step.title, stream);
  let outcome = 'failed';
  try {
    outcome = (await step.perform(progress)) ?? 'done';
  } finally {
    progress.end(outcome);
  }
}

/** A set-up that is told to end takes along what it has started, and lets the lock go. */
async function endingWithSignals(work) {
  const end = (signal) => {
    endRunning();
    releaseSetupLock();
    console.error(
      `\nThe set-up was ended by ${signal}. What is done stays; the next start goes on from there.`,
    );
    process.exit(1);
  };
  for (const signal of SIGNALS) process.once(signal, end);
  try {
    return await work();
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
  }
}
