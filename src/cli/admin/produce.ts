/** `ringmq produce`: sends messages from the command line or from stdin, a line each. */
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { UserError } from '../../lib/user-error.ts';
import { PROPERTY_KEYS, PROPERTY_TAGS } from '../../record/properties.ts';
import { Failure } from './failure.ts';
import { examples, numberOf, online } from './online.ts';
import { counted, note, print, printJson } from './output.ts';
import { Progress } from './progress.ts';
import { type Queue, queueText, requireRoute, writableQueues } from './routes.ts';
import { type Sent, send } from './send.ts';
import type { Servers } from './servers.ts';
import { pause, untilStopped } from './stopping.ts';
import { now, requireSpan, requireTime, spanText } from './times.ts';

const DELAY_PROPERTY = 'TIMER_DELAY_MS';
const TIME_PROPERTY = 'TIMER_DELIVER_MS';
/** Messages that have been taken in and are not answered yet. */
const IN_FLIGHT = 64;
/** Up to so many are told one by one. */
const TOLD = 10;

interface ProduceFlags {
  message?: string[];
  key?: string[];
  tag?: string;
  property?: string[];
  delay?: string;
  at?: string;
  queue?: string;
  count?: string;
  rate?: string;
}

const collect = (value: string, before: string[] = []) => [...before, value];

export function produceCommand(command: Command): void {
  command
    .argument('<topic>')
    .option(
      '-m, --message <text>',
      'the message; several times for several (default: each line of stdin is one)',
      collect,
    )
    .option('--key <key>', 'a key to find it by; several times for several', collect)
    .option('--tag <tag>', 'its tag')
    .option('--property <name=value>', 'a property; several times for several', collect)
    .option('--delay <span>', 'to be delivered after 10s, 5m, 2h, …')
    .option('--at <time>', 'to be delivered at a time, "2026-01-31 18:30"')
    .option('--queue <number>', 'into this queue (default: into all by turns)')
    .option('--count <number>', 'send it so many times; of several messages, each')
    .option('--rate <number>', 'messages a second at most');
  online<ProduceFlags>(command, async (servers, [topic = ''], flags) => {
    const parts = await requireRoute(servers, topic);
    const queues = chosenQueues(topic, writableQueues(topic, parts), flags.queue);
    const properties = propertiesOf(flags);
    await new Production(servers, queues, parts.length, properties, flags).run();
  });
  examples(
    command,
    'produce orders -m \'{"id": 1}\' --key 1 --tag new',
    'produce orders < lines.txt',
    'produce orders -m reminder --delay 10m',
    'produce orders -m load --count 10000 --rate 500',
  );
}

function chosenQueues(topic: string, queues: Queue[], only: string | undefined): Queue[] {
  if (queues.length === 0)
    throw new Failure(`Nobody may send to ${topic}: "ringmq topic change ${topic} --perm rw" allows it.`);
  if (only === undefined) return queues;
  const number = numberOf('queue', only, 0, 1e9);
  const found = queues.filter(({ queueId }) => queueId === number);
  if (found.length === 0)
    throw new UserError(`--queue ${only} is not possible: ${topic} has no queue of this number to send to.`);
  return found;
}

/** Exported for its test. */
export function propertiesOf({ key, tag, property = [], delay, at }: ProduceFlags): Map<string, string> {
  const properties = new Map<string, string>();
  for (const text of property) {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined)
      throw new UserError(`--property ${text} is not possible: give name=value.`);
    properties.set(name, value);
  }
  if (key !== undefined) properties.set(PROPERTY_KEYS, key.join(' '));
  if (tag !== undefined) properties.set(PROPERTY_TAGS, tag);
  if (delay !== undefined && at !== undefined)
    throw new UserError('--delay and --at are two answers: give one of them.');
  if (delay !== undefined) properties.set(DELAY_PROPERTY, String(requireSpan(delay, `--delay ${delay}`)));
  if (at !== undefined) properties.set(TIME_PROPERTY, String(requireTime(at, `--at ${at}`)));
  return properties;
}

class Production {
  readonly #servers: Servers;
  readonly #queues: readonly Queue[];
  readonly #brokers: number;
  readonly #properties: ReadonlyMap<string, string>;
  readonly #flags: ProduceFlags & { json?: boolean };
  readonly #progress = new Progress();
  readonly #stopped = untilStopped();
  readonly #running = new Set<Promise<void>>();
  /** The last send of each queue: one at a time, as brokers may turn round what comes to one queue at once. */
  readonly #lastOf = new Map<Queue, Promise<void>>();
  readonly #begun = performance.now();
  #asked = 0;
  #sent = 0;
  #failed = 0;
  #firstFailure: unknown;

  constructor(
    servers: Servers,
    queues: readonly Queue[],
    brokers: number,
    properties: ReadonlyMap<string, string>,
    flags: ProduceFlags & { json?: boolean },
  ) {
    this.#servers = servers;
    this.#queues = queues;
    this.#brokers = brokers;
    this.#properties = properties;
    this.#flags = flags;
  }

  async run(): Promise<void> {
    const { count = '1', rate, json = false } = this.#flags;
    const times = numberOf('count', count, 1, Number.MAX_SAFE_INTEGER);
    const perSecond = rate === undefined ? undefined : numberOf('rate', rate, 1, 1e9);
    for await (const body of this.#bodies()) {
      for (let i = 0; i < times && !this.#stopped.aborted; i++)
        await this.#post(Buffer.from(body), perSecond);
      if (this.#stopped.aborted) break;
    }
    await Promise.all(this.#running);
    this.#progress.end();
    if (!json && this.#sent > TOLD)
      await print(`Sent ${counted(this.#sent, 'message')} in ${spanText(this.#elapsed())}.`);
    if (this.#asked === 0) note('Nothing was sent: stdin was empty.');
    if (this.#failed > 0) throw this.#failure();
  }

  #failure(): unknown {
    if (this.#asked === 1) return this.#firstFailure;
    const reason =
      this.#firstFailure instanceof Error ? this.#firstFailure.message : String(this.#firstFailure);
    return new Failure(`${this.#failed} of ${counted(this.#asked, 'message')} were not sent: ${reason}`);
  }

  #elapsed(): number {
    return performance.now() - this.#begun;
  }

  async *#bodies(): AsyncGenerator<string> {
    const { message } = this.#flags;
    if (message !== undefined) {
      yield* message;
      return;
    }
    if (process.stdin.isTTY === true) note('A message a line; Ctrl-D ends.');
    const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
    this.#stopped.addEventListener('abort', () => lines.close());
    yield* lines;
  }

  async #post(body: Uint8Array, perSecond: number | undefined): Promise<void> {
    if (perSecond !== undefined) {
      const due = (this.#asked * 1000) / perSecond;
      if (due > this.#elapsed()) await pause(due - this.#elapsed(), this.#stopped);
      if (this.#stopped.aborted) return;
    }
    const queue = this.#queues[this.#asked % this.#queues.length] as Queue;
    this.#asked++;
    const before = this.#lastOf.get(queue) ?? Promise.resolve();
    const sending = before
      .then(() => send(this.#servers, queue, { body, properties: this.#properties }))
      .then(
        (sent) => this.#tell(sent),
        (error) => this.#note(error),
      )
      .finally(() => this.#running.delete(sending));
    this.#lastOf.set(queue, sending);
    this.#running.add(sending);
    if (this.#running.size >= IN_FLIGHT) await Promise.race(this.#running);
  }

  async #tell(sent: Sent): Promise<void> {
    this.#sent++;
    const { id, queue, offset, offsetId, pending } = sent;
    if (this.#flags.json === true) {
      await printJson(
        {
          topic: queue.topic,
          broker: queue.broker,
          queue: queue.queueId,
          offset,
          id,
          offsetId,
          pending,
          at: now(),
        },
        0,
      );
    } else if (this.#sent <= TOLD) {
      const state = pending === undefined ? '' : ` (${pending})`;
      await print(`Sent ${id} to queue ${queueText(queue, this.#brokers)} at offset ${offset}${state}.`);
    } else
      this.#progress.tell(
        () =>
          `${this.#sent} sent, ${this.#failed} failed, ${Math.round((this.#sent * 1000) / this.#elapsed())} a second`,
      );
  }

  #note(error: unknown): void {
    this.#failed++;
    this.#firstFailure ??= error;
  }
}
