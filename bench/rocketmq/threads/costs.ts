/** From CPU times of threads to what a message costs each kind of them, and what that kind alone would carry. */
import { median } from '../statistics.ts';
import { KINDS, type Kind, kindOf, type ThreadTimes } from './thread-times.ts';

/** A measured phase. */
export interface ThreadRound {
  messages: number;
  seconds: number;
  /** The broker's process, whose main thread is control. */
  pid: number;
  /** What each thread of the broker used. */
  threads: readonly ThreadTimes[];
  /** CPU of the generator, µs a message. */
  generator: number;
  /** Of the time in which the flusher was in a sync of the log, 0 to 1. */
  syncShare: number;
  /** CPU of others, as a share of all processors. */
  foreignShare: number;
}

export interface KindCost {
  /** How many threads there are of it. */
  threads: number;
  /** µs of CPU a message, of all threads of the kind together. */
  user: number;
  system: number;
  micros: number;
  /** Of a thousand messages, how often a thread of the kind slept. */
  sleeps: number;
  /** Of a processor that one of these threads used, 0 to 1. */
  share: number;
}

export type Costs = Partial<Record<Kind, KindCost>>;

export interface VariantCosts {
  /** Messages a second as measured. */
  rate: number;
  costs: Costs;
  generator: number;
  syncShare: number;
  foreignShare: number;
}

/** Of one round. */
export function costsOf({ messages, seconds, pid, threads }: ThreadRound): Costs {
  const costs: Costs = {};
  for (const thread of threads) {
    const kind = kindOf(thread, pid);
    const cost = costs[kind] ?? noCost();
    costs[kind] = cost;
    cost.threads++;
    cost.user += (thread.userSeconds * 1e6) / messages;
    cost.system += (thread.systemSeconds * 1e6) / messages;
    cost.sleeps += (thread.sleeps * 1000) / messages;
  }
  for (const cost of Object.values(costs)) {
    cost.micros = cost.user + cost.system;
    cost.share = (cost.micros * messages) / 1e6 / seconds / cost.threads;
  }
  return costs;
}

function noCost(): KindCost {
  return { threads: 0, user: 0, system: 0, micros: 0, sleeps: 0, share: 0 };
}

/** Medians of the rounds, each figure by itself. */
export function mediansOf(rounds: readonly ThreadRound[]): VariantCosts {
  const all = rounds.map(costsOf);
  const costs: Costs = {};
  for (const kind of KINDS) {
    const found = all.flatMap((one) => one[kind] ?? []);
    if (found.length === 0) continue;
    const of = (figure: keyof KindCost): number => median(found.map((cost) => cost[figure]));
    const [user, system, micros] = [of('user'), of('system'), of('micros')];
    costs[kind] = { threads: of('threads'), user, system, micros, sleeps: of('sleeps'), share: of('share') };
  }
  const of = (figure: (round: ThreadRound) => number): number => median(rounds.map(figure));
  return {
    rate: of(({ messages, seconds }) => messages / seconds),
    costs,
    generator: of(({ generator }) => generator),
    syncShare: of(({ syncShare }) => syncShare),
    foreignShare: of(({ foreignShare }) => foreignShare),
  };
}

/** Kinds of which each thread works for itself, so that more processors than threads help none of them. */
const CARRIERS: readonly Kind[] = ['network', 'writer', 'dispatcher', 'flusher', 'control'];

/** Messages a second of the kind with a processor for each of its threads; undefined where nothing was used. */
export function carried({ micros, threads }: KindCost): number | undefined {
  return micros === 0 ? undefined : (threads * 1e6) / micros;
}

export interface Limit {
  kind: Kind;
  threads: number;
  rate: number;
}

/** With a processor for each thread: who is at its end first, then the others. */
export function limitsOf(costs: Costs): Limit[] {
  return CARRIERS.flatMap((kind) => {
    const cost = costs[kind];
    const rate = cost && carried(cost);
    return rate === undefined ? [] : { kind, threads: (cost as KindCost).threads, rate };
  }).sort((one, other) => one.rate - other.rate);
}
