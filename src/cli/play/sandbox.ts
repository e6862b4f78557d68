/** What can be done in play, and what is known: a broker or none, its store, what flows, what has happened. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../admin/failure.ts';
import { writeGroup } from '../admin/groups.ts';
import { READABLE, WRITABLE } from '../admin/routes.ts';
import { Servers } from '../admin/servers.ts';
import { pause } from '../admin/stopping.ts';
import { writeTopicConfig } from '../admin/topic-configs.ts';
import { endText } from '../server-process.ts';
import { flip, type Harm, tear } from './harm.ts';
import { keysIn, readLog } from './log-files.ts';
import { lookAtBroker, lookAtDisk, lookAtQueues, type Page, pageOf } from './look.ts';
import { type LogLine, PlayBroker } from './play-broker.ts';
import { FLUSH_MS, PLAY_GROUP, PLAY_QUEUES, PLAY_TOPIC, type PlayStore } from './play-store.ts';
import { type Action, DELAYS, helpLines } from './script.ts';
import type { LiveState, PlayState, ProcessState, QueueState } from './state.ts';
import * as story from './stories.ts';
import { type Broker, Consumer, type Outcome, Producer } from './traffic.ts';

/** Of a broker that has lost a thread: it ends within a tenth of that. */
const DEATH_MS = 10_000;
/** More than are answered until a thread has ended. */
const UNTIL_DEATH = 10_000;
/** In two files there is room for no more than a third of these. */
const ENOUGH_TO_FILL = 2000;
/** The writer looks for room again after half a second. */
const ROOM_MS = 5_000;
const ROOM_LOOK_MS = 100;
const RING_LOOK_MS = 10;
const MAX_NEWS = 100;

const isOver = ({ refused, unanswered }: Outcome): boolean => refused + unanswered > 0;

export class Sandbox {
  readonly #store: PlayStore;
  readonly #log: string;
  readonly #changed: () => void;
  readonly #producer = new Producer(() => this.#reachable());
  readonly #consumer = new Consumer(() => this.#reachable());
  readonly #news: string[] = [];
  readonly #peaks = new Map<string, number>();
  #broker: PlayBroker | undefined;
  #servers: Servers | undefined;
  #isStarting = false;
  readonly #closed = new AbortController();
  #page: Page | undefined;
  #live: LiveState | undefined;
  #queues: readonly QueueState[] = [];
  /** Up to where the log was known to be synced when its broker ended. */
  #durable = 0;
  /** Since the last start. */
  #harms: Harm[] = [];
  #lost = 0;

  /** `changed` is called when there is news. */
  constructor(store: PlayStore, changed: () => void) {
    this.#store = store;
    this.#log = join(store.directory, 'commitlog');
    this.#changed = changed;
  }

  /** Starts the first broker. */
  async open(): Promise<string[]> {
    return this.#start();
  }

  /** Does it, and says what happened. Rejects with a Failure when that is not possible now. */
  async perform(action: Exclude<Action, { name: 'quit' }>): Promise<string[]> {
    switch (action.name) {
      case 'send':
        return this.#send(action.count);
      case 'delay':
        return this.#sendLater(action.seconds);
      case 'flow':
        this.#producer.setFlow(action.isOn);
        return story.flowing(action.isOn);
      case 'consume':
        this.#consumer.set(action.isOn);
        return story.consuming(action.isOn);
      case 'wait':
        await pause(action.ms, this.#closed.signal);
        return [];
      case 'kill-thread':
        return this.#endThread(action.thread);
      case 'kill':
        return this.#kill();
      case 'tear':
        return this.#harm(
          (log) => tear(log, action.count),
          'tear',
          (harm) => story.torn(harm, this.#durable),
        );
      case 'flip':
        return this.#harm(
          (log) => flip(log, action.back),
          'flip',
          (harm) => story.flipped(harm, lookAtDisk(this.#store.directory)),
        );
      case 'fill':
        return this.#fill();
      case 'free':
        return this.#free();
      case 'restart':
        return this.#restart();
      case 'status':
        return [];
      case 'help':
        return helpLines();
    }
  }

  /** Stops what runs. Resolves with how its broker ended, where one ran. */
  async close(): Promise<string[]> {
    this.#closed.abort();
    this.#producer.setFlow(false);
    this.#consumer.set(false);
    const lines = await this.#stop();
    this.#store.end();
    return lines;
  }

  /** Asks the broker and looks at the disk; what does not answer keeps what it told last. */
  async look(): Promise<PlayState> {
    await this.#ask();
    return {
      process: this.#processState(),
      flushType: this.#store.flushType,
      flushMs: FLUSH_MS,
      nameServer: this.#broker?.places.nameServer ?? '',
      store: this.#store.directory,
      live: this.#live,
      disk: lookAtDisk(this.#store.directory),
      queues: this.#queues,
      traffic: {
        flow: this.#producer.flows,
        consuming: this.#consumer.isOn,
        acknowledged: this.#producer.acknowledged,
        refused: this.#producer.refused,
        unanswered: this.#producer.unanswered,
        consumed: this.#consumer.consumed,
        again: this.#consumer.again,
      },
      news: this.#news,
    };
  }

  /** For the picture: a line of what has happened. */
  tell(line: string): void {
    this.#news.push(line);
    if (this.#news.length > MAX_NEWS) this.#news.shift();
    this.#changed();
  }

  async #ask(): Promise<void> {
    const broker = this.#reachable();
    if (broker === undefined || this.#broker === undefined) return;
    try {
      const [{ page, live }, queues] = await Promise.all([
        lookAtBroker(broker, this.#broker.metricsUrl, this.#page),
        lookAtQueues(broker, this.#store.directory),
      ]);
      this.#page = page;
      this.#live = { ...live, rings: this.#withPeaks(live.rings) };
      this.#durable = live.positions.flushed;
      this.#queues = queues;
    } catch {
      // It is ending, or busy: the picture says which.
    }
  }

  #withPeaks(rings: LiveState['rings']): LiveState['rings'] {
    return rings.map((one) => {
      const key = `${one.ring} ${one.thread}`;
      const peak = Math.max(one.peak, this.#peaks.get(key) ?? 0);
      this.#peaks.set(key, peak);
      return { ...one, peak };
    });
  }

  /** While work is done rings are looked at often: between two pictures they are empty again. */
  async #watchingRings<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const watch = async () => {
      while (!isOver && this.#broker !== undefined && this.#broker.end === undefined) {
        const page = await pageOf(this.#broker.metricsUrl).catch(() => undefined);
        for (const { labels, value } of page?.families.get('ringmq_ring_fill_ratio') ?? []) {
          const key = `${labels['ring']} ${labels['thread']}`;
          this.#peaks.set(key, Math.max(value, this.#peaks.get(key) ?? 0));
        }
        await sleep(RING_LOOK_MS);
      }
    };
    const watched = watch();
    try {
      return await work;
    } finally {
      isOver = true;
      await watched;
    }
  }

  #processState(): ProcessState {
    if (this.#isStarting) return { kind: 'starting' };
    const broker = this.#broker;
    if (broker === undefined) return { kind: 'none' };
    if (broker.end !== undefined) return { kind: 'ended', how: endText(broker.end) };
    const seconds = (performance.now() - broker.startedAt) / 1000;
    return { kind: 'running', pid: broker.pid, seconds, isFull: broker.isFull };
  }

  #reachable(): Broker | undefined {
    if (this.#servers === undefined || this.#broker === undefined || this.#broker.end !== undefined)
      return undefined;
    return { servers: this.#servers, address: this.#broker.places.address };
  }

  #running(what: string): PlayBroker {
    if (this.#broker !== undefined && this.#broker.end === undefined) return this.#broker;
    throw new Failure(`${what} needs a broker that runs: "restart" starts one.`);
  }

  async #start(): Promise<string[]> {
    const began = performance.now();
    const places = this.#broker?.places;
    this.#isStarting = true;
    this.#changed();
    try {
      const broker = await PlayBroker.start(this.#store, places, (line) => this.#hear(line));
      this.#broker = broker;
      this.#page = undefined;
      this.#servers = new Servers({ namesrv: broker.places.nameServer });
      void broker.ended.then((end) => {
        if (this.#broker === broker && !this.#closed.signal.aborted) this.tell(`the process ${endText(end)}`);
      });
      await this.#prepare(this.#servers, broker.places.address);
      const lines = story.started(story.recoveryLines(broker.lines), performance.now() - began);
      return lines;
    } finally {
      this.#isStarting = false;
    }
  }

  async #prepare(servers: Servers, address: string): Promise<void> {
    const config = {
      ...{ name: PLAY_TOPIC, readQueues: PLAY_QUEUES, writeQueues: PLAY_QUEUES, perm: READABLE | WRITABLE },
      ...{ order: false, type: 'NORMAL' as const, attributes: {}, sysFlag: 0 },
    };
    await writeTopicConfig(servers, address, config, '');
    await writeGroup(servers, address, PLAY_GROUP, {});
  }

  #hear({ level, message, fields }: LogLine): void {
    const isAudit = message.startsWith('audit:');
    if (isAudit || (level === 'info' && /^(?:RingMQ starts|limits:|topic |group )/.test(message))) return;
    const reason = typeof fields['remark'] === 'string' ? `: ${fields['remark']}` : '';
    this.tell(`${level === 'info' ? '' : `${level}: `}${message}${reason}`);
  }

  async #send(count: number): Promise<string[]> {
    this.#running('send');
    const began = performance.now();
    let ms = 0;
    const sending = this.#producer.send(count).finally(() => {
      ms = performance.now() - began;
    });
    const outcome = await this.#watchingRings(sending);
    return story.sent(outcome, ms, this.#store.flushType);
  }

  async #sendLater(seconds: number): Promise<string[]> {
    this.#running('delay');
    return story.sentLater(await this.#producer.sendLater(DELAYS.indexOf(seconds) + 1), seconds);
  }

  async #kill(): Promise<string[]> {
    const broker = this.#running('kill');
    await this.#ask();
    await broker.kill();
    this.#disconnect();
    return story.killed(broker.pid, this.#live?.positions);
  }

  async #endThread(thread: Parameters<PlayBroker['endThread']>[0]): Promise<string[]> {
    const broker = this.#running('kill-thread');
    await this.#ask();
    broker.endThread(thread);
    const outcome = await this.#producer.send(UNTIL_DEATH, isOver);
    const late = setTimeout(() => void broker.kill(), DEATH_MS);
    const end = await broker.ended;
    clearTimeout(late);
    this.#disconnect();
    const words = broker.lines.findLast(({ message }) => /has died|stopped acknowledging/.test(message));
    return story.threadKilled(thread, outcome, end, words?.message);
  }

  #disconnect(): void {
    this.#servers?.close();
    this.#servers = undefined;
  }

  #harm(work: (log: string) => Harm, what: string, tell: (harm: Harm) => string[]): string[] {
    if (this.#broker !== undefined && this.#broker.end === undefined)
      throw new Failure(`${what} is for the files of a dead broker: "kill" it first.`);
    const harm = work(this.#log);
    this.#harms.push(harm);
    return tell(harm);
  }

  async #fill(): Promise<string[]> {
    const broker = this.#running('fill');
    if (broker.isFull) throw new Failure('The disk is full already: "free" gives it room again.');
    await broker.fill();
    const full = this.#producer.send(ENOUGH_TO_FILL, isOver);
    return story.filled(await this.#watchingRings(full));
  }

  async #free(): Promise<string[]> {
    const broker = this.#running('free');
    if (!broker.isFull) throw new Failure('The disk has room: "fill" takes it.');
    await broker.free();
    const until = performance.now() + ROOM_MS;
    let outcome = await this.#producer.send(1);
    while (outcome.acknowledged === 0 && performance.now() < until) {
      await sleep(ROOM_LOOK_MS);
      outcome = await this.#producer.send(1);
    }
    return story.freed(outcome);
  }

  async #restart(): Promise<string[]> {
    const lines = await this.#stop();
    lines.push(...(await this.#start()));
    if (this.#producer.acknowledged > 0) lines.push(...this.#balance());
    lines.push(story.RECOVERY_SOURCES);
    this.#harms = [];
    return lines;
  }

  /** What was acknowledged and is not in the log any more is told once. */
  #balance(): string[] {
    const { ledger, acknowledged } = this.#producer;
    const there = keysIn(this.#log, readLog(this.#log));
    const missing = [...ledger].filter(([key]) => !there.has(key));
    const harmed = missing.filter(([, position]) =>
      this.#harms.some(({ at, until }) => position >= at && position < until),
    );
    for (const [key] of missing) ledger.delete(key);
    const lostBefore = this.#lost;
    this.#lost += missing.length;
    return story.balance({
      acknowledged,
      lostBefore,
      harmed: harmed.length,
      harmedDurable: harmed.filter(([, position]) => position < this.#durable).length,
      unexplained: missing.length - harmed.length,
    });
  }

  async #stop(): Promise<string[]> {
    const broker = this.#broker;
    if (broker === undefined || broker.end !== undefined) return [];
    const end = await broker.stop();
    this.#disconnect();
    return story.stopped(end, broker.pid);
  }
}
