/** Delivery times of messages parked under a delay level, as RocketMQ keeps them in the ConsumeQueue. */

/** RocketMQ's default levels 1 to 18. */
export const DEFAULT_DELAY_LEVELS = '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h';

/** What a level without entry counts as, ms. */
export const UNKNOWN_LEVEL_DELAY_MS = 1000;

const UNIT_MILLIS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds per level, level 1 first. Throws on a text that is no list of `<number><s|m|h|d>`. */
export function parseDelayLevels(text: string): number[] {
  return text
    .trim()
    .split(/\s+/)
    .map((level) => {
      const match = /^(\d+)([smhd])$/.exec(level);
      const unit = match?.[2] === undefined ? undefined : UNIT_MILLIS[match[2]];
      if (match === null || unit === undefined) {
        throw new RangeError(`messageDelayLevel: "${level}" is not a number followed by s, m, h or d.`);
      }
      return Number(match[1]) * unit;
    });
}

/** Store time plus the delay of the level that stands as digits in bytes[offset, +length); other text is no level. */
export function scheduledTagsCode(
  bytes: Uint8Array,
  offset: number,
  length: number,
  storeTimestamp: number,
  delayMillis: readonly number[],
): number {
  let level = 0;
  for (let i = offset; i < offset + length; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return storeTimestamp + UNKNOWN_LEVEL_DELAY_MS;
    level = level * 10 + digit;
  }
  const capped = Math.min(level, delayMillis.length);
  return storeTimestamp + (delayMillis[capped - 1] ?? UNKNOWN_LEVEL_DELAY_MS);
}
