/** What travels to the delivery agent: what the dispatcher is told of queues (dispatcher-records.ts), and this. */

import type { PopSettings } from './pop/pop-context.ts';
import type { TransactionSettings } from './transaction/context.ts';
import type { WaitingRules } from './waiting-form.ts';

/** No message that becomes due is put any more; those under way still end. No payload. */
export const DELIVERY_STOPS = 16;
/** JSON of DeliveryLimits. */
export const DELIVERY_LIMITS = 17;

/** A producer group has its first member, or has lost its last one: JSON of ProducerPresence. */
export const PRODUCER_PRESENCE = 18;
/** Control has taken a check of a transaction. No payload. */
export const CHECK_TAKEN = 19;

/** The checkpoint of timers is written. The number under which it was told, as text. */
export const TIMERS_SAVED = 20;

/** What control tells the owner of pops: JSON of PopTold. */
export const POP_TOLD = 21;

/** On a slave that acts for its master: JSON of Escaped. */
export const ESCAPED = 22;

export interface ProducerPresence {
  group: string;
  online: boolean;
}

/** What the configuration says, as far as delivery must know; it may change while the broker runs. */
export interface DeliveryLimits {
  /** Deliveries of one delay level that may be under way. */
  maxPending: number;
  transactions: TransactionSettings;
  pops: PopSettings;
  waiting: WaitingRules;
}
