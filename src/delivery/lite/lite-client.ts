/** A client that consumes lite topics for its group. */
import { isLiteQueueOf } from '../../lib/lite-names.ts';
import { Waiters } from '../pop/waiters.ts';
import type { Asked } from '../question-server.ts';

export class LiteClient extends Waiters {
  readonly clientId: string;
  readonly group: string;
  /** Queues of the lite topics to which it has subscribed. */
  readonly queues = new Set<string>();
  /** It has all lite topics of this parent. */
  parent: string | undefined;
  /** Of these, those in which something may be there for it, in the order in which that was heard of. */
  readonly ready = new Set<string>();
  /** Lite topics of which control has still to say where the group stands, and pops that wait for that. */
  asking = 0;
  early: (() => void)[] = [];
  /** When it was last heard of, ms of the monotonic clock. */
  usedAt: number;
  /** Who has subscribed last: on that connection it is told what it loses. */
  told: Asked | undefined;
  /** The pop that was answered last, and the queues of its messages: one with the same id repeats it. */
  attemptId: string | undefined;
  taken: readonly string[] = [];

  constructor(clientId: string, group: string, usedAt: number) {
    super();
    this.clientId = clientId;
    this.group = group;
    this.usedAt = usedAt;
  }

  /** Whether it has subscribed to the lite topic. */
  wants(queue: string): boolean {
    return this.queues.has(queue) || (this.parent !== undefined && isLiteQueueOf(queue, this.parent));
  }
}
