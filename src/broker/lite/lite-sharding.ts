/** To which broker a lite topic belongs: clients send to the queue that a consistent hash of its name says. */
import type { RouteAnswer } from '../../remoting/topic-routes.ts';

/** Undefined when it is not known which brokers there are. */
export function brokerOfLiteTopic(routed: RouteAnswer, liteTopic: string): string | undefined {
  if (routed === undefined || routed === 'unknown') return undefined;
  const total = routed.reduce((sum, { readQueues }) => sum + readQueues, 0);
  let left = total === 0 ? 0 : consistentHash(javaHash(liteTopic), total);
  return routed.find(({ readQueues }) => {
    if (left < readQueues) return true;
    left -= readQueues;
    return false;
  })?.brokerName;
}

function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** Jump consistent hash (Lamping, Veach), as Guava has it. */
export function consistentHash(input: number, buckets: number): number {
  let state = BigInt.asUintN(64, BigInt(input));
  for (let candidate = 0; ; ) {
    state = BigInt.asUintN(64, state * 2862933555777941757n + 1n);
    const next = Math.floor((candidate + 1) / ((Number(state >> 33n) + 1) / 2 ** 31));
    if (next >= buckets) return candidate;
    candidate = next;
  }
}
