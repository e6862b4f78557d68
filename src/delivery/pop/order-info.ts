/**
 * What of a queue an ordered group has popped: nothing more is popped from it while any of these messages is neither
 * done nor visible again. The fields and their JSON are those of RocketMQ's config/consumerOrderInfo.json (OrderInfo).
 */
import { asObject, entriesOf, integerFrom } from '../../protocol/json-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';

/** Messages of one pop: bits of a number. */
export const MAX_ORDERED = 32;

export class OrderInfo {
  readonly popTime: number;
  readonly invisibleTime: number;
  readonly attemptId: string | undefined;
  readonly offsets: readonly number[];
  /** Bit i: the message at offsets[i] is done. */
  done = 0;
  /** When a message is visible again, where that was changed: by offset, ms since the epoch. */
  readonly visible = new Map<number, number>();
  /** How often a message had been popped before, where it had been. */
  readonly counts = new Map<number, number>();
  lastConsumed: number;
  /** By how much the clock in which its times are is ahead of the monotonic one, whatever the clock is set to. */
  skew = 0;
  /** Nobody has got them, so this was no try. */
  untaken = false;

  constructor(
    popTime: number,
    invisibleTime: number,
    attemptId: string | undefined,
    offsets: readonly number[],
  ) {
    this.popTime = popTime;
    this.invisibleTime = invisibleTime;
    this.attemptId = attemptId;
    this.offsets = offsets;
    this.lastConsumed = popTime;
  }

  /** The same pop said once more, or the next one: what came before counts as a try. */
  countFrom(previous: OrderInfo | undefined): void {
    if (previous === undefined) return;
    const isSame = this.attemptId !== undefined && this.attemptId === previous.attemptId;
    const isSameAttempt = isSame || previous.untaken;
    for (const offset of this.offsets) {
      if (!previous.offsets.includes(offset)) continue;
      const before = previous.counts.get(offset) ?? 0;
      const count = isSameAttempt ? before : before + 1;
      if (count > 0) this.counts.set(offset, count);
    }
  }

  /** Ms since the epoch at which the queue may be popped again, if nothing is done before; -1: now. */
  get blockedUntil(): number {
    let until = -1;
    for (const [i, offset] of this.offsets.entries()) {
      if ((this.done & (1 << i)) !== 0) continue;
      until = Math.max(until, this.visible.get(offset) ?? this.popTime + this.invisibleTime);
    }
    return until;
  }

  get isDone(): boolean {
    return this.offsets.every((_, i) => (this.done & (1 << i)) !== 0);
  }

  has(offset: number): boolean {
    return this.offsets.includes(offset);
  }

  /** The message is done; returns the offset of the first message that is not. */
  acknowledge(offset: number): number {
    const index = this.offsets.indexOf(offset);
    if (index >= 0) this.done |= 1 << index;
    const first = this.offsets.findIndex((_, i) => (this.done & (1 << i)) === 0);
    const last = this.offsets.at(-1) ?? 0;
    return first < 0 ? last + 1 : (this.offsets[first] as number);
  }

  toJson(): object {
    const [base = 0, ...others] = this.offsets;
    return {
      ...(this.attemptId === undefined ? {} : { a: this.attemptId }),
      ...{ cm: this.done >>> 0, i: this.invisibleTime, l: this.lastConsumed },
      ...{ o: [base, ...others.map((offset) => offset - base)] },
      ...(this.counts.size > 0 ? { oc: Object.fromEntries(this.counts) } : {}),
      ...(this.visible.size > 0 ? { ot: Object.fromEntries(this.visible) } : {}),
      popTime: this.popTime,
    };
  }

  /** Undefined when it is no such thing. */
  static fromJson(value: RocketJson | undefined): OrderInfo | undefined {
    const json = asObject(value);
    const list = json?.['o'];
    if (json === undefined || !Array.isArray(list) || list.length === 0) return undefined;
    const [base, ...diffs] = list.slice(0, MAX_ORDERED).map((n) => integerFrom(n) ?? -1);
    if (base === undefined || base < 0) return undefined;
    const attemptId = typeof json['a'] === 'string' ? json['a'] : undefined;
    const offsets = [base, ...diffs.map((diff) => base + diff)];
    const [popTime, invisibleTime] = [integerFrom(json['popTime']) ?? 0, integerFrom(json['i']) ?? 0];
    const info = new OrderInfo(popTime, invisibleTime, attemptId, offsets);
    info.done = (integerFrom(json['cm']) ?? 0) | 0;
    info.lastConsumed = integerFrom(json['l']) ?? popTime;
    for (const [offset, time] of entriesOf(json['ot']))
      info.visible.set(Number(offset), integerFrom(time) ?? 0);
    for (const [offset, count] of entriesOf(json['oc']))
      info.counts.set(Number(offset), integerFrom(count) ?? 0);
    return info;
  }
}
