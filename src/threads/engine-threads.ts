/**
 * The threads below control, started before there is anything for them to work on: a thread takes longer to come up
 * than a store to open, and does so on another core meanwhile.
 */
import { type EngineLayout, PLACEMENTS } from './engine-layout.ts';
import { spawn, type Thread } from './spawn.ts';

/** Safety net for what the data path still allocates; never small, or collections eat the thread (measured). */
const NETWORK_YOUNG_GENERATION_MB = 32;

export interface EngineThreads {
  readonly networks: Thread[];
  readonly workers: Thread[];
}

export function spawnEngineThreads(config: {
  networkThreads: number;
  engineLayout: EngineLayout;
}): EngineThreads {
  const limits = { maxYoungGenerationSizeMb: NETWORK_YOUNG_GENERATION_MB };
  const networks = Array.from({ length: config.networkThreads }, (_, index) =>
    spawn('threads/network', 'network', `network-${index}`, limits),
  );
  const workers = PLACEMENTS[config.engineLayout].workers.map(([name]) => spawn('threads', 'engine', name));
  return { networks, workers };
}

/** Ends them where they are. */
export async function terminateThreads({ networks, workers }: EngineThreads): Promise<void> {
  await Promise.all([...networks, ...workers].map((thread) => thread.worker.terminate()));
}
