/**
 * Who works with the engine from outside, a line each: puts messages to the writer, hears from the dispatcher of
 * messages in queues, waits for the flusher. A participant's number is its place in this list: the bit of its interest
 * in queues, its word for lost news, its position for what it awaits.
 */
import { MAX_PUTS } from '../lib/limits.ts';
import { MAX_RAW_PUTS } from '../replication/slave/raw-puts.ts';
import type { WakeKind } from '../ring/wake.ts';
import { PENDING_SENDS } from './shapes.ts';

export interface Participant {
  readonly name: string;
  readonly sleeps: WakeKind;
  /** Requests to the writer that it may have under way. */
  readonly requests: number;
  /** It always waits for something to be durable: every sync is news for it. */
  readonly hearsSyncs: boolean;
  /** What it puts was not to come before a time: its store times are exact, where others share one a round. */
  readonly putsWhenDue: boolean;
}

export const CONTROL = 'control';
export const DELIVERY = 'delivery';
/** Of a slave: puts what its master has written. */
export const REPLICATION = 'replication';

const FOLLOWER: Participant = {
  name: REPLICATION,
  sleeps: 'doorbell',
  requests: MAX_RAW_PUTS,
  hearsSyncs: true,
  putsWhenDue: false,
};

/** Network threads come first: the number of one is its index among them. */
export function participantsOf(networkThreads: number, isSlave: boolean): Participant[] {
  return [
    ...Array.from(
      { length: networkThreads },
      (_, index): Participant => ({
        name: `network-${index}`,
        sleeps: 'doorbell',
        requests: PENDING_SENDS,
        hearsSyncs: true,
        putsWhenDue: false,
      }),
    ),
    // Its own messages, and one record that retires queues of deleted topics.
    { name: CONTROL, sleeps: 'doorbell', requests: MAX_PUTS + 1, hearsSyncs: false, putsWhenDue: false },
    { name: DELIVERY, sleeps: 'park', requests: MAX_PUTS, hearsSyncs: false, putsWhenDue: true },
    ...(isSlave ? [FOLLOWER] : []),
  ];
}
