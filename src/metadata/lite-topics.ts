/**
 * The lite topics of this broker: below each parent, a topic of type LITE, those that have had messages. They stand in
 * no file, their queues say which there are (as in RocketMQ), and name servers never hear of them. One is made with its
 * first message, and goes with its parent, or when nothing has come for as long as the parent's lite.topic.expiration
 * says.
 */
import type { Clock } from '../lib/clock.ts';
import { MAX_LITE_TOPICS, MAX_QUEUES } from '../lib/limits.ts';
import { Listeners } from '../lib/listeners.ts';
import { LITE_QUEUE_ID, liteNamesIn, liteTopicProblem } from '../lib/lite-names.ts';
import { isRetryOrDeadLetterTopic } from '../lib/names.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { RequestError, tableFull } from '../protocol/request-fields.ts';
import type { QueueRoom } from '../store/queue/queue-ids.ts';
import { LITE_EXPIRATION_ATTRIBUTE, MESSAGE_TYPE_ATTRIBUTE } from './attributes.ts';
import { newTopicConfig, PERM_READ, type TopicConfig } from './topic-config.ts';
import type { TopicTable } from './topics.ts';

const MINUTE_MS = 60_000;
/** Nothing younger expires, as in RocketMQ (minLiteTTl). */
const LEAST_LIFE_MS = 15 * MINUTE_MS;
/** Of its life, how much of a lite topic's is seen by one process. */
const WATCHED_MS = 60 * MINUTE_MS;
/** Lite topics that are deleted, or looked at, in one turn; and how long nobody looks when all have been. */
const DELETED_TOGETHER = 256;
const LOOKED_TOGETHER = 256;
const REST_MS = MINUTE_MS;

export class LiteTopics {
  /** As topics of one queue that may only be read: for those who must know queues. */
  readonly made = new Listeners<TopicConfig>();
  /** By the name of its queue. */
  readonly deleted = new Listeners<string>();
  readonly #topics: TopicTable;
  readonly #room: QueueRoom;
  /** Names of queues, by parent. */
  readonly #parents = new Map<string, Set<string>>();
  /** Their parent is gone. */
  readonly #orphans = new Set<string>();
  #size = 0;
  /** By queue: store time of its last message, and since when that has been so, monotonic ms. */
  readonly #quiet = new Map<string, { newest: number; since: number }>();
  /** What is still to be looked at for whether it has expired; and when that begins again, monotonic ms. */
  #round: Iterator<string> | undefined;
  #restsUntil = 0;

  constructor(topics: TopicTable, room: QueueRoom) {
    this.#topics = topics;
    this.#room = room;
    topics.deleted.add((parent) => {
      for (const queue of this.#parents.get(parent) ?? []) this.#orphans.add(queue);
      this.#deleteOrphans();
    });
    topics.vetoes.push((topic) => this.#veto(topic));
  }

  /** What a topic of the name has left must not become lite topics of a new one. */
  #veto(topic: string): string | undefined {
    const left = this.#orphans.size === 0 ? 0 : this.of(topic).size;
    return left === 0
      ? undefined
      : `${left} lite topics of a deleted topic[${topic}] are still to be deleted`;
  }

  /** Of all parents. */
  get size(): number {
    return this.#size;
  }

  has(queue: string): boolean {
    const parent = liteNamesIn(queue)?.parent;
    return parent !== undefined && this.#parents.get(parent)?.has(queue) === true;
  }

  /** Names of the queues below a parent. */
  of(parent: string): ReadonlySet<string> {
    return this.#parents.get(parent) ?? new Set();
  }

  /** Takes the queues that recovery has found, when the topics are known; others than lite topics' are left alone. */
  load(queues: Iterable<string>): void {
    for (const queue of queues) {
      const names = liteNamesIn(queue);
      if (names === undefined || this.has(queue)) continue;
      this.#add(names.parent, queue);
      if (this.#topics.get(names.parent) === undefined) this.#orphans.add(queue);
    }
  }

  /** On a slave: its master has one, as its log tells; the parent may not be known yet. */
  follow(queue: string): void {
    const names = liteNamesIn(queue);
    if (names !== undefined && !this.has(queue)) this.#add(names.parent, queue);
  }

  /** There is one now. Throws a RequestError that says why there cannot be. */
  ensure(queue: string): void {
    const names = liteNamesIn(queue);
    const problem = names === undefined ? 'this is the name of no lite topic' : this.#problem(names);
    if (names === undefined || problem !== undefined)
      throw new RequestError(ResponseCode.INVALID_PARAMETER, problem ?? '');
    if (this.has(queue)) return;
    if (this.#size >= MAX_LITE_TOPICS) throw tableFull('lite topics', MAX_LITE_TOPICS, 'MAX_LITE_TOPICS');
    if (!this.#room.reserve(queue, 1)) throw tableFull('queues of all topics', MAX_QUEUES, 'MAX_QUEUES');
    this.#add(names.parent, queue);
  }

  #problem({ parent, liteTopic }: { parent: string; liteTopic: string }): string | undefined {
    const config = this.#topics.get(parent);
    if (config === undefined) return `topic[${parent}] not exist, apply first please!`;
    const isLite = config.attributes.get(MESSAGE_TYPE_ATTRIBUTE) === 'LITE';
    if (!isLite || isRetryOrDeadLetterTopic(parent) || this.#topics.isSystemTopic(parent))
      return `topic[${parent}] has no lite topics: its message.type is not LITE`;
    return liteTopicProblem(parent, liteTopic);
  }

  #add(parent: string, queue: string): void {
    let queues = this.#parents.get(parent);
    if (queues === undefined) {
      queues = new Set();
      this.#parents.set(parent, queues);
    }
    queues.add(queue);
    this.#size += 1;
    this.made.emit(newTopicConfig(queue, 1, PERM_READ));
  }

  #delete(queue: string): void {
    const parent = liteNamesIn(queue)?.parent ?? '';
    const queues = this.#parents.get(parent);
    this.#orphans.delete(queue);
    this.#quiet.delete(queue);
    if (queues?.delete(queue) !== true) return;
    if (queues.size === 0) this.#parents.delete(parent);
    this.#size -= 1;
    this.deleted.emit(queue);
  }

  /**
   * Deletes some of those that are over: to be called every second or so. `newest`: store time of a queue's last
   * message, ms since the epoch; below 0 when it cannot be said.
   */
  tidy(clock: Clock, newest: (queue: string, queueId: number) => number): void {
    if (this.#deleteOrphans()) return;
    if (this.#round === undefined && clock.monotonic() < this.#restsUntil) return;
    this.#round ??= this.#all();
    if (this.#lookOn(this.#round, clock, newest)) return;
    this.#round = undefined;
    this.#restsUntil = clock.monotonic() + REST_MS;
  }

  /** Some of them; true when more are left. */
  #deleteOrphans(): boolean {
    let left = DELETED_TOGETHER;
    for (const queue of this.#orphans) {
      if (left-- <= 0) return true;
      this.#delete(queue);
    }
    return false;
  }

  /** Looks at the next ones of the round; false at its end. */
  #lookOn(
    round: Iterator<string>,
    clock: Clock,
    newest: (queue: string, queueId: number) => number,
  ): boolean {
    let deleted = 0;
    for (let i = 0; i < LOOKED_TOGETHER && deleted < DELETED_TOGETHER; i++) {
      const { value: queue, done } = round.next();
      if (done) return false;
      const life = this.#lifeMs(liteNamesIn(queue)?.parent ?? '');
      const time = life === undefined ? -1 : newest(queue, LITE_QUEUE_ID);
      if (life === undefined || time <= 0 || !this.#isOver(queue, time, life, clock)) continue;
      this.#delete(queue);
      deleted += 1;
    }
    return true;
  }

  /**
   * By elapsed time. What is older than this process is as old as the clock says, but for the last hour: one that was
   * set wrong deletes nothing before somebody can have seen it.
   */
  #isOver(queue: string, newest: number, life: number, clock: Clock): boolean {
    const now = clock.monotonic();
    const known = this.#quiet.get(queue);
    if (known !== undefined && known.newest === newest) return now - known.since > life;
    const age = known === undefined ? Math.min(clock.now() - newest, life - WATCHED_MS) : 0;
    this.#quiet.set(queue, { newest, since: now - Math.max(0, age) });
    return false;
  }

  /** Sets may change while they are walked: what is added meanwhile may come in this round or in the next. */
  *#all(): Iterator<string> {
    for (const queues of this.#parents.values()) yield* queues;
  }

  /** Undefined: for ever. */
  #lifeMs(parent: string): number | undefined {
    const minutes = Number(this.#topics.get(parent)?.attributes.get(LITE_EXPIRATION_ATTRIBUTE) ?? -1);
    return minutes > 0 ? Math.max(minutes * MINUTE_MS, LEAST_LIFE_MS) : undefined;
  }
}
