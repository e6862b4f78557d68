/**
 * Which dead letters this command has sent once more: each copy names its dead letter in a property, and is found again
 * by its unique id in the index of the brokers. So nothing has to be kept anywhere: it outlives restarts of all sides,
 * holds for every machine from which the command is run, and for as long as the copy itself is there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { deadLetterTopicOf, retryTopicOf } from '../../lib/names.ts';
import { messageIdOf } from '../../record/decode.ts';
import { originOf, popRetryTopicsFor } from './dead-letters.ts';
import { queryTopic } from './find.ts';
import { idOf } from './message-text.ts';
import type { LocatedMessage } from './queue-reads.ts';
import { PROPERTY_RESENT } from './resend.ts';
import { routeOf, type TopicPart } from './routes.ts';
import type { Servers } from './servers.ts';

const ASK_AGAIN_MS = 200;
const TRIES = 25;

export class GivenBack {
  readonly #servers: Servers;
  readonly #group: string;
  readonly #routes = new Map<string, Promise<Place[]>>();

  constructor(servers: Servers, group: string) {
    this.#servers = servers;
    this.#group = group;
  }

  /** The newest copy of the first topic that has one; undefined where none has. */
  async copyOf(letter: LocatedMessage): Promise<LocatedMessage | undefined> {
    const place = messageIdOf(letter);
    for (const topic of this.#topicsFor(letter)) {
      const parts = await this.#placesOf(topic, letter);
      const found = await queryTopic(this.#servers, parts, topic, idOf(letter), true);
      const copies = found.filter(({ properties }) => properties.get(PROPERTY_RESENT) === place);
      if (copies.length > 0) return copies.reduce((a, b) => (a.storeTimestamp < b.storeTimestamp ? b : a));
    }
    return undefined;
  }

  /** Brokers enter what they have stored in their index a moment later. Undefined: it is not there after a while. */
  async waitForCopyOf(letter: LocatedMessage): Promise<LocatedMessage | undefined> {
    for (let i = 0; i < TRIES; i++) {
      this.#routes.clear(); // a retry topic may just have been made
      const copy = await this.copyOf(letter);
      if (copy !== undefined) return copy;
      await sleep(ASK_AGAIN_MS);
    }
    return undefined;
  }

  /**
   * Where copies of it may be: in a retry topic of the group, in the topic it came from, or among the dead letters
   * again, last, as a copy that was given out comes there too when it dies.
   */
  #topicsFor(letter: LocatedMessage): string[] {
    const origin = originOf(letter, this.#group);
    return [
      retryTopicOf(this.#group),
      ...popRetryTopicsFor(letter, this.#group),
      ...(origin === undefined ? [] : [origin]),
      deadLetterTopicOf(this.#group),
    ];
  }

  /** A broker tells the name servers of a retry topic of pops up to half a minute after it has made it. */
  async #placesOf(topic: string, { broker }: LocatedMessage): Promise<Place[]> {
    const parts = await this.#partsOf(topic);
    if (parts.some((part) => part.broker === broker)) return parts;
    const master = (await this.#servers.masters()).find(({ name }) => name === broker);
    return master === undefined ? parts : [...parts, { broker, address: master.address }];
  }

  #partsOf(topic: string): Promise<Place[]> {
    const known = this.#routes.get(topic) ?? routeOf(this.#servers, topic).then((parts) => parts ?? []);
    this.#routes.set(topic, known);
    return known;
  }
}

type Place = Pick<TopicPart, 'broker' | 'address'>;
