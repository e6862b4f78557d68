/** Names that other versions and many guides use for something that RingMQ does have: old spellings, and places. */
import { resolve } from 'node:path';
import { storePaths } from '../store/paths.ts';
import { expandPath } from './path-text.ts';

/** Renamed in RocketMQ 4.5, which has passed over the old spelling in silence since then. */
const spellings: ReadonlyMap<string, string> = new Map([
  ['mapedFileSizeCommitLog', 'mappedFileSizeCommitLog'],
  ['mapedFileSizeConsumeQueue', 'mappedFileSizeConsumeQueue'],
]);

/** The default in entries, which guides give for this number of bytes. RocketMQ since 4.5 makes files of that many. */
const QUEUE_ENTRIES = '300000';

export interface OldSpelling {
  /** The key of today. */
  today: string;
  /** Whether today's key gets the value. */
  taken: boolean;
  warning: string;
}

/** What becomes of a key in its old spelling; `given`: whether the file has today's too. */
export function oldSpelling(
  name: string,
  value: string,
  given: ReadonlyMap<string, string>,
): OldSpelling | undefined {
  const today = spellings.get(name);
  if (today === undefined) return undefined;
  const line = `${name}=${value}`;
  if (given.has(today)) {
    return { today, taken: false, warning: `${line} has no effect: ${today} is set too, and counts.` };
  }
  if (name === 'mapedFileSizeConsumeQueue' && value.trim() === QUEUE_ENTRIES) {
    const warning =
      `${line} has no effect: it is the default number of entries, which holds, where a number of bytes belongs. ` +
      `Take the line out, or set ${today} in bytes (20 an entry).`;
    return { today, taken: false, warning };
  }
  return {
    today,
    taken: true,
    warning: `${line} is taken as ${today}, as the key is called since RocketMQ 4.5.`,
  };
}

/** Today's name of a key in its old spelling. */
export function todaysName(name: string): string | undefined {
  return spellings.get(name);
}

/** Keys for places that no RocketMQ lets anybody choose: they follow from storePathRootDir. */
const places: ReadonlyMap<string, (directory: string) => string> = new Map([
  ['storePathConsumeQueue', storePaths.consumeQueue],
  ['storePathIndex', storePaths.index],
  ['storeCheckpoint', storePaths.checkpoint],
  ['storePathCheckpoint', storePaths.checkpoint],
  ['abortFile', storePaths.abort],
  ['storePathAbort', storePaths.abort],
]);

export const olderNames: readonly string[] = [...spellings.keys(), ...places.keys()];

/** A warning when the place is another than where RingMQ has it anyway; undefined for keys that are no place. */
export function placeWarnings(name: string, value: string, directory: string): string[] | undefined {
  const place = places.get(name)?.(directory);
  if (place === undefined) return undefined;
  const given = expandPath(value.trim());
  if (given !== undefined && resolve(given) === place) return [];
  return [
    `${name}=${value} has no effect, in RocketMQ neither: RingMQ uses ${place}, which follows from storePathRootDir.`,
  ];
}
