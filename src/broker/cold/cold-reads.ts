/**
 * Flow control of cold reads, off unless `coldDataFlowControlEnable` is set: a group that has had more old messages
 * fetched from the disk than it may in five seconds, or all groups together, is refused further ones until these are
 * over. Network threads tell of each fetch; control counts, as a group may be connected to all of them, and tells them
 * whom to refuse.
 */
import type { Clock } from '../../lib/clock.ts';
import { MAX_COLD_GROUPS } from '../../lib/limits.ts';
import { Listeners } from '../../lib/listeners.ts';
import { isSystemGroup } from '../../lib/names.ts';
import type { Timers } from '../../lib/timers.ts';
import type { BrokerSettings } from '../../metadata/settings.ts';
import { tableFull } from '../../protocol/request-fields.ts';

/** RocketMQ's: how long bytes are added up, and for how long a group is shown after its last cold read. */
const WINDOW_MS = 5_000;
const SHOWN_MS = 60_000;

/** A fetch from the disk that a group's pull has caused. */
export interface ColdRead {
  group: string;
  bytes: number;
}

/** Whom network threads refuse cold reads. */
export interface ColdRefusals {
  /** Fetches are told to control. */
  watched: boolean;
  all: boolean;
  groups: readonly string[];
}

/** What a group has read; times in ms since the epoch, as they are shown. */
export interface ColdUsage {
  /** In this window. */
  bytes: number;
  readonly since: number;
  last: number;
}

export class ColdReads {
  /** A refusal has begun, or all have ended. */
  readonly changed = new Listeners<void>();
  readonly #settings: BrokerSettings;
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** Bytes in a window that an operator has set for a group. */
  readonly #thresholds = new Map<string, number>();
  readonly #usage = new Map<string, ColdUsage>();
  readonly #refused = new Set<string>();
  #refusesAll = false;
  #bytes = 0;
  #isCounting = false;

  constructor(settings: BrokerSettings, clock: Clock, timers: Timers) {
    this.#settings = settings;
    this.#clock = clock;
    this.#timers = timers;
  }

  get thresholds(): ReadonlyMap<string, number> {
    return this.#thresholds;
  }

  get usage(): ReadonlyMap<string, ColdUsage> {
    return this.#usage;
  }

  /** Of all groups, in this window. */
  get bytes(): number {
    return this.#bytes;
  }

  get refusals(): ColdRefusals {
    const watched = this.#settings.coldDataFlowControlEnable;
    return { watched, all: watched && this.#refusesAll, groups: watched ? [...this.#refused] : [] };
  }

  /** Throws a RequestError that names the limit, and sets none, when there is no room for all. */
  setThresholds(thresholds: ReadonlyMap<string, number>): void {
    const added = [...thresholds.keys()].filter((group) => !this.#thresholds.has(group)).length;
    if (this.#thresholds.size + added > MAX_COLD_GROUPS) {
      throw tableFull(
        'groups with a threshold of their own for cold reads',
        MAX_COLD_GROUPS,
        'MAX_COLD_GROUPS',
      );
    }
    for (const [group, bytes] of thresholds) this.#thresholds.set(group, bytes);
  }

  removeThreshold(group: string): void {
    this.#thresholds.delete(group);
  }

  /** A network thread has fetched old messages for a group. */
  read({ group, bytes }: ColdRead): void {
    if (!this.#settings.coldDataFlowControlEnable || isSystemGroup(group)) return;
    this.#countFromNowOn();
    this.#bytes += bytes;
    const used = this.#note(group, bytes);
    const { cgColdReadThreshold, globalColdReadThreshold } = this.#settings;
    const before = this.#refused.size + Number(this.#refusesAll);
    if (used >= (this.#thresholds.get(group) ?? cgColdReadThreshold)) this.#refused.add(group);
    this.#refusesAll ||= this.#bytes >= globalColdReadThreshold;
    if (this.#refused.size + Number(this.#refusesAll) > before) this.changed.emit();
  }

  /** Bytes of the group in this window; of more groups than are counted, none. */
  #note(group: string, bytes: number): number {
    const now = this.#clock.now();
    const usage = this.#usage.get(group) ?? { bytes: 0, since: now, last: now };
    if (!this.#usage.has(group) && this.#usage.size >= MAX_COLD_GROUPS) return 0;
    usage.bytes += bytes;
    usage.last = now;
    this.#usage.set(group, usage);
    return usage.bytes;
  }

  #countFromNowOn(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    this.#timers.after(WINDOW_MS, () => this.#windowEnds());
  }

  #windowEnds(): void {
    const had = this.#refused.size > 0 || this.#refusesAll;
    this.#refused.clear();
    this.#refusesAll = false;
    this.#bytes = 0;
    const now = this.#clock.now();
    for (const [group, usage] of this.#usage) {
      usage.bytes = 0;
      if (now - usage.last >= SHOWN_MS) this.#usage.delete(group);
    }
    this.#isCounting = false;
    if (this.#usage.size > 0) this.#countFromNowOn();
    if (had) this.changed.emit();
  }
}
