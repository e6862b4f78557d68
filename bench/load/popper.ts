/** Who pops and acknowledges, whatever the protocol: a consumer of a broker, or one of the proxy. */
import type { Endpoint } from './frame-socket.ts';
import type { PopShape } from './pop-frames.ts';

/** The Java client's limit (popThresholdForQueue). It looks again every 50 ms, these with each answer. */
export const UNACKNOWLEDGED_MAX = 96;

/** Code of a request that has failed without an answer. */
export const NO_ANSWER = -1;

/** A message that has come; places are in the bytes that it came in. */
export interface Arrived {
  queueId: number;
  queueOffset: number;
  /** How often it was given out before. */
  reconsumeTimes: number;
  keyAt: number;
  keyLength: number;
}

export interface PopperEvents {
  onMessage(bytes: Uint8Array, message: Arrived): void;
  /** A pop was answered with messages, all of which were handed over, or refused; one that found nothing is not told. */
  onPop(code: number, micros: number): void;
  onAck(code: number, micros: number): void;
  onUnexpectedReply(): void;
  onFailure(error: Error): void;
}

export interface Popper {
  open(endpoint: Endpoint): Promise<void>;
  /** Becomes a member of the group, or says that it still is one. */
  join(group: string, topic: string): Promise<void>;
  /** Pops from now on. */
  start(shape: PopShape): void;
  /** No more pops; acknowledgements of what the last one brought still go out. */
  stop(): void;
  /** Leaves its group: a pop that is held is not waited for any more. */
  leave(): void;
  /** Requests that wait for their answers. */
  readonly inFlight: number;
  close(): void;
}
