/**
 * A process of its own that sleeps a little, again and again, and notes by how much it woke too late. It asks for a
 * high priority, so that not the measured load delays it but what stops the whole machine: a busy host, a frozen guest,
 * a neighbour of still higher priority. A question over IPC is answered with what was seen since the last one.
 */
import os from 'node:os';

const SLEEP_MILLIS = 2;

export interface StallReading {
  samples: number;
  maxMillis: number;
  /** Sum of all delays over 10 ms. */
  stalledMillis: number;
}

const STALL_MILLIS = 10;

let reading: StallReading = { samples: 0, maxMillis: 0, stalledMillis: 0 };

try {
  os.setPriority(-10);
} catch {
  // without the right to it the readings hold some of the load's own delays as well
}

let sleptAt = performance.now();
function wake(): void {
  const now = performance.now();
  const late = now - sleptAt - SLEEP_MILLIS;
  reading.samples++;
  reading.maxMillis = Math.max(reading.maxMillis, late);
  if (late >= STALL_MILLIS) reading.stalledMillis += late;
  sleptAt = performance.now();
  setTimeout(wake, SLEEP_MILLIS);
}
wake();

process.on('message', () => {
  process.send?.(reading);
  reading = { samples: 0, maxMillis: 0, stalledMillis: 0 };
});
process.on('disconnect', () => process.exit(0));
