/** What a hostile act has to work with. */
import type { Random } from '../../support/random.ts';
import { Talk } from './talk.ts';
import { encodeRequest, type WireRequest } from './wire.ts';

/** One hostile connection, frame or sequence of requests. Resolves when it has done its worst; asserts nothing. */
export type Act = (scene: Scene) => Promise<void>;

/** Connections that hostile clients leave open, and keep as long as the servers let them. */
const LINGERING = 150;
/** An act that waits for something waits no longer. */
export const PATIENCE_MS = 2000;

/** Connections of all acts that are meant to stay; the oldest goes when there are too many. */
export class Lingering {
  #talks: Talk[] = [];

  add(talk: Talk): void {
    this.#talks = this.#talks.filter(({ closed }) => !closed);
    this.#talks.push(talk);
    if (this.#talks.length > LINGERING) this.#talks.shift()?.destroy();
  }

  destroyAll(): void {
    for (const talk of this.#talks) talk.destroy();
    this.#talks = [];
  }
}

export class Scene {
  readonly random: Random;
  readonly broker: string;
  readonly nameServer: string;
  readonly #lingering: Lingering;

  constructor(random: Random, addresses: { broker: string; nameServer: string }, lingering: Lingering) {
    this.random = random;
    this.broker = addresses.broker;
    this.nameServer = addresses.nameServer;
    this.#lingering = lingering;
  }

  /** A connection that remembers of its answers only that they came. */
  async open(address: string): Promise<Talk> {
    const talk = await Talk.open(address);
    talk.keepsBodies = false;
    return talk;
  }

  /** The broker, or now and then the name server. */
  somewhere(): string {
    return this.random.chance(0.3) ? this.nameServer : this.broker;
  }

  /** The connection stays open when the act is over. */
  linger(talk: Talk): void {
    this.#lingering.add(talk);
  }

  /** It ends in one of the ways in which connections end. */
  leave(talk: Talk): void {
    const way = this.random.int(0, 3);
    if (way === 0) talk.socket.resetAndDestroy();
    else if (way === 1) talk.socket.end(() => talk.destroy());
    else if (way === 2) talk.destroy();
    else this.linger(talk);
  }
}

/** A name from a small set, so that what hostile clients make stays within bounds that the test knows. */
export function smallName(random: Random, prefix = 'hostile'): string {
  return `${prefix}-${random.int(0, 30)}`;
}

/** Sends all requests in one write. */
export async function pipeline(talk: Talk, requests: readonly WireRequest[]): Promise<void> {
  await within(talk.write(Buffer.concat(requests.map((one) => encodeRequest(one, talk.nextOpaque())))));
}

/** A peer that does not read lets a write wait for ever; nobody here waits that long. */
export async function within(action: Promise<unknown>, ms = PATIENCE_MS): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([action, late]);
  clearTimeout(timer);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
