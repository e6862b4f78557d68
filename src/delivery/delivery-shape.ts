/** What the delivery agent is started with, and what it tells control. */
import type { HostAddress } from '../record/message-id.ts';
import type { ChannelShape } from '../ring/channel.ts';
import type { BrokerShape } from '../store/engine-shapes.ts';
import type { DelayState } from './delay/delay-progress.ts';
import type { DeliveryLimits } from './delivery-records.ts';

/** All of it can be posted. */
export interface DeliveryShape {
  broker: BrokerShape;
  /** Its place among the participants. */
  number: number;
  /** Topics that there are at the start, with the ids of their queues by number; later ones come as commands. */
  topics: readonly (readonly [topic: string, ids: readonly (number | undefined)[]])[];
  commands: ChannelShape;
  storeHost: HostAddress;
  /** messageDelayLevel */
  delayLevels: string;
  delays: DelayState;
  /** Where the queue of each level ended when the broker started, level 1 first: what has come since is all new. */
  ends: readonly number[];
  /** By how much the machine's clock was ahead of the monotonic one then, ms. */
  skew: number;
  limits: DeliveryLimits;
}

/** How far it has come, a second apart at least; `stopped`: it puts nothing any more, and this is the last one. */
export interface DeliveryReport {
  kind: 'delivery';
  delays: DelayState;
  stopped: boolean;
}
