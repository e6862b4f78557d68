/**
 * How far each group has popped each queue, and what of it is invisible now: the one place where that changes. What
 * control knows of offsets is asked for when a queue is first popped, and control is told of what has changed.
 */
import { limitRemark, MAX_POPPED_QUEUES } from '../../lib/limits.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { OrderInfo } from './order-info.ts';
import type { PopPair } from './pop-pair.ts';

/** A checkpoint of this process whose messages are invisible. */
export interface LiveCheckpoint {
  readonly ck: Checkpoint;
  readonly queue: PopQueue;
  readonly reviveQueueId: number;
  /** When its messages are visible again, ms of the monotonic clock. */
  readonly visibleAt: number;
  /** It stands in its revive queue, at this offset; -1: not yet. */
  reviveOffset: number;
  /** Its time is over, and what is not done is on its way to the retry topic. */
  isVisible: boolean;
  cancel: () => void;
}

export class PopQueue {
  readonly offsets: PopOffsets;
  readonly queueId: number;
  /** Of the next message that nobody has popped; of an ordered group, of the first that is not done. -1: none. */
  offset = -1;
  /** What was popped from it is on its way to the log: others go on when it is there. */
  busy = false;
  /** The checkpoint that `offset` goes by is not in the log yet: nobody is to be told of it. */
  unwritten = false;
  /** What is invisible, by the first offset of its checkpoint. */
  readonly live = new Map<number, LiveCheckpoint[]>();
  order: OrderInfo | undefined;
  /** The journal holds a state of it. */
  journaled = false;
  /** States that were to be written into the journal, and the last one of them that is in the log. */
  written = 0;
  stored = 0;
  /** Ends the timer at whose end an ordered group may go on. */
  cancelWake: () => void = () => {};

  constructor(offsets: PopOffsets, queueId: number) {
    this.offsets = offsets;
    this.queueId = queueId;
  }
}

/** Of a group in a topic. */
export class PopOffsets {
  readonly topic: string;
  readonly group: string;
  /** By id. A map: files, receipts and checkpoints name whatever they like. */
  readonly queues = new Map<number, PopQueue>();
  /** Control has said what it knows. */
  known = false;
  /** Its topic or group was deleted: what is still under way for it changes nothing any more. */
  gone = false;
  /** Said by checkpoints before control has: queue id, offset. */
  readonly learned = new Map<number, number>();
  /** Queues whose offset somebody has set since: what checkpoints say of them is older. */
  readonly set = new Set<number>();
  /** Queues where the group has gone on while a slave acted for its master: what the journal says of them is older. */
  readonly goneOn = new Set<number>();
  /** When it was last asked for, or has last changed, ms of the monotonic clock. */
  usedAt = 0;
  /** Who pops from it. */
  readonly pairs = new Set<PopPair>();
  /** What is to be done when control has said what it knows. */
  readonly #later: (() => void)[] = [];

  constructor(topic: string, group: string) {
    this.topic = topic;
    this.group = group;
  }

  /** Runs it now, or when it is known. */
  whenKnown(run: () => void): void {
    if (this.known) run();
    else this.#later.push(run);
  }

  /** To be called when it is known. */
  goOn(): void {
    for (const run of this.#later.splice(0)) run();
  }

  queue(queueId: number): PopQueue {
    let queue = this.queues.get(queueId);
    if (queue === undefined) {
      queue = new PopQueue(this, queueId);
      this.queues.set(queueId, queue);
    }
    return queue;
  }
}

export interface PopStatesParts {
  /** Asks control for the offsets of a group in a topic. */
  ask: (topic: string, group: string) => void;
  /** Nothing is to be heard of it any more. */
  forgotten: (topic: string, group: string) => void;
  /** Ms of the monotonic clock. */
  now: () => number;
  /** The queue is deleted, or its group. */
  dropped: (queue: PopQueue) => void;
}

export class PopStates {
  readonly #parts: PopStatesParts;
  /** By topic, then group. */
  readonly #topics = new Map<string, Map<string, PopOffsets>>();
  readonly #dirty = new Set<PopQueue>();
  /** Topics whose deletion has begun: nobody is to begin anew with their old messages. */
  readonly #doomed = new Set<string>();
  /** Offsets that control has been asked for and has not said. */
  #asked = 0;
  #size = 0;

  constructor(parts: PopStatesParts) {
    this.#parts = parts;
  }

  find(topic: string, group: string): PopOffsets | undefined {
    return this.#topics.get(topic)?.get(group);
  }

  /** A string says why there is no room for more. */
  of(topic: string, group: string): PopOffsets | string {
    const known = this.find(topic, group);
    if (known !== undefined) known.usedAt = this.#parts.now();
    if (known !== undefined) return known;
    if (this.#doomed.has(topic)) return `the topic[${topic}] is being deleted`;
    if (this.#size >= MAX_POPPED_QUEUES) {
      return limitRemark('groups that pop, each topic counted', MAX_POPPED_QUEUES, 'MAX_POPPED_QUEUES');
    }
    const offsets = new PopOffsets(topic, group);
    offsets.usedAt = this.#parts.now();
    let groups = this.#topics.get(topic);
    if (groups === undefined) {
      groups = new Map();
      this.#topics.set(topic, groups);
    }
    groups.set(group, offsets);
    this.#size += 1;
    this.#asked += 1;
    this.#parts.ask(topic, group);
    return offsets;
  }

  /** Control has said what it knows; -1 or nothing: the group has no offset there. */
  told(
    topic: string,
    group: string,
    told: readonly (readonly [queueId: number, offset: number])[],
    goneOn: readonly number[] = [],
  ): void {
    const offsets = this.find(topic, group);
    if (offsets === undefined || offsets.known) return;
    offsets.known = true;
    for (const queueId of goneOn) offsets.goneOn.add(queueId);
    this.#asked -= 1;
    for (const [queueId, offset] of told) offsets.queue(queueId).offset = offset;
    for (const [queueId, offset] of offsets.learned) {
      const queue = offsets.queue(queueId);
      if (queue.offset < offset) this.move(queue, offset);
    }
    offsets.learned.clear();
    offsets.goOn();
  }

  /** A checkpoint of the process before says so. */
  learn(topic: string, group: string, queueId: number, offset: number): void {
    const offsets = this.of(topic, group);
    if (typeof offsets === 'string') return;
    if (offsets.set.has(queueId)) return;
    if (!offsets.known) {
      offsets.learned.set(queueId, Math.max(offset, offsets.learned.get(queueId) ?? -1));
    } else if (offsets.queue(queueId).offset < offset) {
      this.move(offsets.queue(queueId), offset);
    }
  }

  /** The queue's offset is another one now. */
  move(queue: PopQueue, offset: number): void {
    queue.offset = offset;
    queue.offsets.usedAt = this.#parts.now();
    if (!queue.offsets.gone) this.#dirty.add(queue);
  }

  /** Somebody has set it: an operator, or a consumer that commits offsets itself. */
  set(topic: string, group: string, queueId: number, offset: number): void {
    const offsets = this.find(topic, group);
    offsets?.set.add(queueId);
    offsets?.learned.delete(queueId);
    const known = offsets?.queues.get(queueId);
    if (known !== undefined) known.order = undefined;
    if (offsets?.known !== true) return;
    const queue = offsets.queue(queueId);
    // Control is told in turn: an older offset may be on its way to it.
    this.move(queue, offset);
  }

  /** Its deletion has begun; `forgetTopic` says when it has ended. */
  doom(topic: string): void {
    this.forget(topic);
    this.#doomed.add(topic);
  }

  /** The topic is gone, and may be made again. */
  forgetTopic(topic: string): void {
    this.#doomed.delete(topic);
    this.forget(topic);
  }

  /** Topic or group is deleted. */
  forget(topic: string, group?: string): void {
    const groups = this.#topics.get(topic);
    for (const offsets of [...(groups?.values() ?? [])]) {
      if (group !== undefined && offsets.group !== group) continue;
      if (!offsets.known) this.#asked -= 1;
      offsets.gone = true;
      offsets.known = true;
      this.#remove(offsets);
      for (const queue of offsets.queues.values()) this.#drop(queue);
      // Whoever waits to hear where the group stands is answered.
      offsets.goOn();
    }
  }

  #remove({ topic, group }: PopOffsets): void {
    const groups = this.#topics.get(topic);
    groups?.delete(group);
    if (groups?.size === 0) this.#topics.delete(topic);
    this.#size -= 1;
    this.#parts.forgotten(topic, group);
  }

  /** What nobody pops, of which nothing is out, and which control has known since then. */
  letGo(before: number): void {
    for (const groups of [...this.#topics.values()])
      for (const offsets of [...groups.values()])
        if (offsets.known && offsets.usedAt <= before && this.#isIdle(offsets)) this.#remove(offsets);
  }

  #isIdle({ pairs, queues }: PopOffsets): boolean {
    if (pairs.size > 0) return false;
    for (const queue of queues.values()) {
      const isOut = queue.busy || queue.live.size > 0 || queue.order !== undefined;
      if (isOut || this.#dirty.has(queue)) return false;
    }
    return true;
  }

  forgetGroup(group: string): void {
    for (const topic of [...this.#topics.keys()]) this.forget(topic, group);
  }

  ofTopic(topic: string): Iterable<PopOffsets> {
    return this.#topics.get(topic)?.values() ?? [];
  }

  *queues(): Iterable<PopQueue> {
    for (const groups of this.#topics.values())
      for (const { queues } of groups.values()) yield* queues.values();
  }

  #drop(queue: PopQueue): void {
    this.#dirty.delete(queue);
    queue.cancelWake();
    this.#parts.dropped(queue);
  }

  /** Whether control is still to say something: until then nothing may be told of what checkpoints said. */
  get waits(): boolean {
    return this.#asked > 0;
  }

  /** Queues whose offset has changed since it was last asked. */
  takeDirty(): PopQueue[] {
    const dirty = [...this.#dirty].filter(({ unwritten }) => !unwritten);
    for (const queue of dirty) this.#dirty.delete(queue);
    return dirty;
  }
}
