/**
 * A stop and a start under load: the broker is asked to stop while senders have as many sends under way as it takes,
 * and is started again on what they left while many clients try all the time to reach it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { acceptsMessage, createTopics } from '../admin.ts';
import type { StartContext } from '../broker-process.ts';
import type { Contestant } from '../contestant.ts';
import type { LoadRun } from '../load-run.ts';
import { startTarget } from '../start.ts';
import type { Target } from '../target.ts';
import { QUEUES, TOPIC } from '../work/broker.ts';
import { firstAcknowledgement } from '../work/restart.ts';
import { sendSettings } from '../work/send.ts';

/** Sends go on for so long before the stop. */
const SENDING_MS = 10_000;
/** Longer than any stop: the senders end because their broker does. */
const SENDING_MOST_SECONDS = 200;
/** Clients that connect and send, each again at once when it was refused or answered. */
const KNOCKERS = 32;
const PAUSE_MS = 5;

export interface LoadedStop {
  /** From SIGTERM until the broker's process has ended, ms. */
  loadedStopMs: number;
  /** From the start of the broker's process to the first send that it acknowledged, ms. */
  loadedStartMs: number;
}

export async function stopAndStart(
  context: StartContext,
  load: LoadRun,
  contestant: Contestant,
  home: string,
): Promise<LoadedStop> {
  const target = await startTarget(context, contestant, 'ASYNC_FLUSH', home);
  await createTopics(target.port, [TOPIC], QUEUES);
  const loadedStopMs = await stopUnderLoad(target, load);
  const again = await startTarget(context, contestant, 'ASYNC_FLUSH', home, { ready: false });
  const knocking = new Knocking(again.port);
  const loadedStartMs = (await firstAcknowledgement(again)) / 1_000;
  await knocking.end();
  await again.stop();
  return { loadedStopMs, loadedStartMs };
}

async function stopUnderLoad(target: Target, load: LoadRun): Promise<number> {
  const settings = sendSettings({ connections: 8, inFlight: 32, bodyBytes: 1024 });
  const sending = load.generate(
    { target, others: [] },
    { ...settings, warmup: 0, seconds: SENDING_MOST_SECONDS },
  );
  const early = await Promise.race([sleep(SENDING_MS), sending.catch((error: Error) => error)]);
  if (early !== undefined) throw new Error(`the senders ended before the stop: ${early}`);
  const began = performance.now();
  await target.stopCleanly();
  const ms = performance.now() - began;
  await sending.catch(() => {});
  return ms;
}

class Knocking {
  #goesOn = true;
  readonly #loops: Promise<unknown>;

  constructor(port: number) {
    this.#loops = Promise.all(Array.from({ length: KNOCKERS }, () => this.#loop(port)));
  }

  async end(): Promise<void> {
    this.#goesOn = false;
    await this.#loops;
  }

  async #loop(port: number): Promise<void> {
    while (this.#goesOn) {
      await acceptsMessage(port, TOPIC);
      await sleep(PAUSE_MS);
    }
  }
}
