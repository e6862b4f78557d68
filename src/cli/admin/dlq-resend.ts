/** `ringmq dlq resend`: gives dead letters to their group again, each once unless more is wanted. */
import type { Command } from 'commander';
import { DLQ_PREFIX, retryTopicOf } from '../../lib/names.ts';
import { UserError } from '../../lib/user-error.ts';
import { visibleLine } from '../../lib/visible.ts';
import { messageIdOf } from '../../record/decode.ts';
import { PROPERTY_RETRY_TOPIC, PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import { lettersById, lettersOf, originOf, popRetryTopicsFor } from './dead-letters.ts';
import { Failure } from './failure.ts';
import { GivenBack } from './given-back.ts';
import { idOf } from './message-text.ts';
import { examples, online } from './online.ts';
import { counted, note, print, printJson } from './output.ts';
import { eachOf } from './progress.ts';
import { confirm } from './question.ts';
import type { LocatedMessage } from './queue-reads.ts';
import { nearestQueue, onceMore, PROPERTY_RESENT } from './resend.ts';
import { type Queue, requireRoute, routeOf, writableQueues } from './routes.ts';
import { send } from './send.ts';
import type { Servers } from './servers.ts';
import { timeText } from './times.ts';
import { topicConfig } from './topic-configs.ts';

interface ResendFlags {
  all?: boolean;
  since?: string;
  origin?: boolean;
  again?: boolean;
  yes?: boolean;
}

interface Outcome {
  id: string;
  /** It was sent, now or before. */
  ok: boolean;
  /** It was sent before, so not now. */
  skipped: boolean;
  topic: string;
  /** Empty where it was not sent. */
  broker: string;
  result: string;
}

export function addResend(dlq: Command): void {
  const command = dlq
    .command('resend')
    .description('give dead letters to their group again, those that were not sent before')
    .argument('<group>')
    .argument('[id...]')
    .option('--all', 'all of them')
    .option('--since <time>', 'with --all: those that died then or later')
    .option(
      '--origin',
      'send them to the topic they came from: every group of it gets them, not only this one',
    )
    .option('--again', 'those too that were sent before')
    .option('--yes', 'do not ask');
  online<ResendFlags>(command, async (servers, [group = '', ...ids], flags) => {
    const { since, json = false } = flags;
    const letters = await chosenLetters(servers, group, ids, flags);
    if (letters.length === 0)
      throw new Failure(`Group ${group} has no dead letters${since === undefined ? '' : ' of that time'}.`);
    const resending = new Resending(servers, group, flags);
    const outcomes = await resending.run(letters);
    const skipped = outcomes.filter((outcome) => outcome.skipped).length;
    if (json) await printJson(outcomes);
    else for (const { id, result } of outcomes) await print(visibleLine(`${id}  ${result}`));
    const failed = outcomes.filter(({ ok }) => !ok).length;
    if (failed > 0)
      throw new Failure(
        `${failed} of ${counted(outcomes.length, 'dead letter')} could not be sent; what came of each stands above.`,
      );
    if (!json) await print(`\n${sumText(outcomes.length - skipped, skipped)}`);
  });
  examples(
    command,
    'dlq resend billing 7F00000152E1CC5B4DD58C32AFFB0000',
    'dlq resend billing --all --since 1h',
    'dlq resend billing --all --origin --yes',
  );
}

function chosenLetters(
  servers: Servers,
  group: string,
  ids: readonly string[],
  { all = false, since }: ResendFlags,
): Promise<LocatedMessage[]> {
  if (all === ids.length > 0) throw new UserError('Say which: give the ids of dead letters, or --all.');
  if (since !== undefined && !all) throw new UserError('--since is for --all: leave it out beside ids.');
  return all
    ? lettersOf(servers, group, since ?? 'earliest', Number.POSITIVE_INFINITY)
    : lettersById(servers, group, ids);
}

function sumText(sent: number, skipped: number): string {
  const before = `${counted(skipped, 'dead letter')} ${skipped === 1 ? 'was' : 'were'} sent before (--again sends ${skipped === 1 ? 'it' : 'them'} anew)`;
  if (sent === 0) return `Nothing was sent: ${before}.`;
  return `Sent ${counted(sent, 'dead letter')}${skipped === 0 ? '' : `; ${before}`}.`;
}

class Resending {
  readonly #servers: Servers;
  readonly #group: string;
  readonly #flags: ResendFlags;
  readonly #given: GivenBack;
  readonly #targets = new Map<string, Promise<Queue[]>>();
  /** Of each topic on each broker that which lies last in the log: by its offset id, whose digits are of one length. */
  readonly #last = new Map<string, { letter: LocatedMessage; offsetId: string }>();

  constructor(servers: Servers, group: string, flags: ResendFlags) {
    this.#servers = servers;
    this.#group = group;
    this.#flags = flags;
    this.#given = new GivenBack(servers, group);
  }

  async run(letters: readonly LocatedMessage[]): Promise<Outcome[]> {
    const copies = await this.#copiesOf(letters);
    const fresh = letters.length - copies.size;
    if (fresh > 0) await confirm(this.#will(fresh, copies.size), this.#flags.yes);
    const outcomes = await eachOf(letters, 'dead letters', async (letter) => {
      const copy = copies.get(letter);
      return copy === undefined ? this.#resend(letter) : skippedAs(letter, copy);
    });
    return this.#whatCameOf(outcomes);
  }

  async #copiesOf(letters: readonly LocatedMessage[]): Promise<Map<LocatedMessage, LocatedMessage>> {
    const copies = new Map<LocatedMessage, LocatedMessage>();
    if (this.#flags.again === true) return copies;
    await eachOf(letters, 'dead letters looked up', async (letter) => {
      const copy = await this.#given.copyOf(letter);
      if (copy !== undefined) copies.set(letter, copy);
    });
    return copies;
  }

  #will(fresh: number, skipped: number): string {
    const who =
      this.#flags.origin === true
        ? 'all groups of the topics they came from get them'
        : `group ${this.#group} gets them again, and no other group`;
    const before =
      skipped === 0
        ? ''
        : ` ${counted(skipped, 'dead letter')} that ${skipped === 1 ? 'was' : 'were'} sent before ${skipped === 1 ? 'is' : 'are'} left out.`;
    return `${counted(fresh, 'dead letter')} of ${this.#group} will be sent once more: ${who}.${before} They stay in the dead-letter queue too, until the log expires.`;
  }

  async #resend(letter: LocatedMessage): Promise<Outcome> {
    const id = idOf(letter);
    const from = originOf(letter, this.#group);
    let topic = '';
    try {
      topic = this.#flags.origin === true ? (from ?? '') : retryTopicOf(this.#group);
      if (topic === '') throw new Failure('it does not say from which topic it came');
      const queue = await this.#queueFor(letter, topic);
      topic = queue.topic;
      const sent = await send(this.#servers, queue, onceMore(letter, this.#marks(letter, topic), true));
      const { broker, queueId } = sent.queue;
      const last = this.#last.get(keyOf({ topic, broker }));
      if (last === undefined || last.offsetId < sent.offsetId)
        this.#last.set(keyOf({ topic, broker }), { letter, offsetId: sent.offsetId });
      const result = `sent to ${topic} on ${broker}, queue ${queueId} at offset ${sent.offset}`;
      return { id, ok: true, skipped: false, topic, broker, result };
    } catch (error) {
      const result = `not sent: ${error instanceof Error ? error.message : String(error)}`;
      return { id, ok: false, skipped: false, topic, broker: '', result };
    }
  }

  #marks(letter: LocatedMessage, topic: string): Record<string, string> {
    const from = originOf(letter, this.#group);
    // A consumer gives it out under the topic from which it came.
    const isPulled = topic === retryTopicOf(this.#group);
    return {
      // By which its copy is found. Who looks for repeated messages goes by it too.
      [PROPERTY_UNIQUE_KEY]: idOf(letter),
      [PROPERTY_RESENT]: messageIdOf(letter),
      ...(isPulled && from !== undefined ? { [PROPERTY_RETRY_TOPIC]: from } : {}),
    };
  }

  async #queueFor(letter: LocatedMessage, topic: string): Promise<Queue> {
    const popped = this.#flags.origin === true ? undefined : await this.#popRetryQueue(letter);
    return popped ?? nearestQueue(await this.#queuesOf(topic), letter);
  }

  /**
   * Groups that pop have a retry topic for each topic; those of gRPC clients read no other. The broker is asked, as it
   * tells the name servers of it up to half a minute after it has made it.
   */
  async #popRetryQueue({ broker, queueId, ...letter }: LocatedMessage): Promise<Queue | undefined> {
    const topics = popRetryTopicsFor(letter, this.#group);
    const master = (await this.#servers.masters()).find(({ name }) => name === broker);
    if (master === undefined) return undefined;
    const { address } = master;
    for (const topic of topics) {
      const config = await topicConfig(this.#servers, address, topic);
      if (config !== undefined && config.writeQueues > 0)
        return { topic, broker, address, queueId: queueId % config.writeQueues };
    }
    return undefined;
  }

  #queuesOf(topic: string): Promise<Queue[]> {
    const known = this.#targets.get(topic) ?? this.#askQueuesOf(topic);
    this.#targets.set(topic, known);
    return known;
  }

  /** A group's retry topic is made by the first message that is sent to it: by any master, as far as nobody has it. */
  async #askQueuesOf(topic: string): Promise<Queue[]> {
    const retryTopic = retryTopicOf(this.#group);
    const parts =
      topic === retryTopic ? await routeOf(this.#servers, topic) : await requireRoute(this.#servers, topic);
    const queues = writableQueues(topic, parts ?? []);
    if (queues.length > 0) return queues;
    if (topic !== retryTopic) throw new Failure(`nobody may send to ${topic}`);
    const masters = await this.#servers.masters();
    return masters.map(({ name, address }) => ({ topic, broker: name, address, queueId: 0 }));
  }

  /** Where the last copy of a topic and broker is in the index the others are, too. */
  async #whatCameOf(outcomes: readonly Outcome[]): Promise<Outcome[]> {
    const back = new Set<string>();
    for (const [key, { letter }] of this.#last) {
      const copy = await this.#given.waitForCopyOf(letter);
      if (copy === undefined)
        note(
          `The index of broker ${key.split('\n')[1]} does not know yet what was sent (messageIndexEnable may be off): until it does, the same command sends it again.`,
        );
      else if (copy.topic.startsWith(DLQ_PREFIX)) back.add(key);
    }
    return outcomes.map((outcome) => {
      if (!outcome.ok || outcome.skipped || !back.has(keyOf(outcome))) return outcome;
      const result =
        'a dead letter again at once: the group consumes in order and has members online; --origin sends it to its topic';
      return { ...outcome, ok: false, result };
    });
  }
}

function skippedAs(letter: LocatedMessage, copy: LocatedMessage): Outcome {
  const result = `left out: sent to ${copy.topic} on ${copy.broker} before, at ${timeText(copy.storeTimestamp)}`;
  return { id: idOf(letter), ok: true, skipped: true, topic: copy.topic, broker: copy.broker, result };
}

const keyOf = ({ topic, broker }: Pick<Queue, 'topic' | 'broker'>) => `${topic}\n${broker}`;
