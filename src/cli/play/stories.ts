/**
 * What each action says: what has happened inside, why, and in which source file that is done. Pure.
 *
 * Files are named from the root of the repository; a test looks whether they are there.
 */
import { counted } from '../admin/output.ts';
import type { End } from '../server-process.ts';
import { endText } from '../server-process.ts';
import type { Harm } from './harm.ts';
import type { LogLine, MortalThread } from './play-broker.ts';
import { type FlushType, SEGMENT_BYTES } from './play-store.ts';
import type { DiskState, PositionState } from './state.ts';
import { type Outcome, positionOf } from './traffic.ts';

export const at = (position: number): string => position.toLocaleString('en-US');
const bytes = (count: number): string => (count === 1 ? '1 byte' : `${at(count)} bytes`);

export function started(recovered: readonly LogLine[], ms: number): string[] {
  return [`The broker serves after ${Math.round(ms)} ms.`, ...recovered.map(({ message }) => `  ${message}`)];
}

/** Lines of a start that tell what it found. */
const RECOVERY =
  /^(?:the last run did not stop|the log was checked|cut the log|the log is damaged|building|dispatching again|checking the log|store opened)/;

export function recoveryLines(lines: readonly LogLine[]): LogLine[] {
  return lines.filter(({ message }) => RECOVERY.test(message)).map(withPositions);
}

/** Fields that say where; the sentence itself may not. */
function withPositions(line: LogLine): LogLine {
  const told = ['from', 'to', 'records', 'enteredFrom', 'logStart', 'logEnd'].flatMap((name) => {
    const value = line.fields[name];
    return typeof value === 'number' && !line.message.includes(String(value)) ? [`${name} ${at(value)}`] : [];
  });
  return told.length === 0 ? line : { ...line, message: `${line.message} (${told.join(', ')})` };
}

/** Acknowledged messages and what became of them. */
export interface Balance {
  readonly acknowledged: number;
  /** Missing at an earlier restart already. */
  readonly lostBefore: number;
  /** Missing, with records that play has damaged; and of these those that had been synced. */
  readonly harmed: number;
  readonly harmedDurable: number;
  /** Missing without that. */
  readonly unexplained: number;
}

export function balance({ acknowledged, lostBefore, harmed, harmedDurable, unexplained }: Balance): string[] {
  const missing = harmed + unexplained;
  const present = acknowledged - lostBefore - missing;
  const before = lostBefore === 0 ? '' : ` ${lostBefore} had been lost before.`;
  const lines = [
    `Of ${counted(acknowledged, 'acknowledged message')} the log has ${present}${missing === 0 ? ': none is missing' : `, and lacks ${missing}`}.${before}`,
  ];
  if (harmed > 0)
    lines.push(`${harmed} of them lay in what play has damaged: ${durability(harmed, harmedDurable)}`);
  if (unexplained > 0)
    lines.push(`${unexplained} were not damaged by play: that is a fault of RingMQ. Please report it.`);
  return lines;
}

function durability(harmed: number, durable: number): string {
  const lost = 'not synced yet, such as a power cut may take under ASYNC_FLUSH';
  const kept = 'synced, which no power cut takes';
  if (durable === 0) return `${lost}.`;
  return durable === harmed ? `${kept}.` : `${harmed - durable} ${lost}, ${durable} ${kept}.`;
}

export const RECOVERY_SOURCES =
  'The steps of a recovery stand in src/store/recovery/recover.ts, where a log ends in src/store/recovery/damage.ts.';

export function sent(outcome: Outcome, ms: number, flushType: FlushType): string[] {
  const { acknowledged, refused, unanswered, last, reason } = outcome;
  const lines = [`${counted(acknowledged, 'message')} acknowledged in ${ms.toFixed(1)} ms`];
  if (last !== undefined) {
    lines[0] += `, the last at ${at(positionOf(last))} (queue ${last.queue.queueId}, offset ${last.offset})`;
    const way =
      'Network thread > ring (src/broker/send/record-writer.ts) > writer > log (src/store/log/commit-log.ts)';
    lines.push(
      flushType === 'SYNC_FLUSH'
        ? `${way}; synced at once (src/store/log/flusher.ts), answered when FLUSHED had passed it (src/broker/send/acknowledge.ts).`
        : `${way}; answered when APPENDED had passed it (src/broker/send/acknowledge.ts), synced later (src/store/log/flusher.ts).`,
    );
  }
  lines[0] += '.';
  if (refused + unanswered > 0)
    lines.push(`${refused} refused, ${unanswered} without an answer. The first: ${reason}`);
  return lines;
}

export function sentLater(outcome: Outcome, seconds: number): string[] {
  if (outcome.last === undefined) return [`It was not taken: ${outcome.reason}`];
  return [
    `Acknowledged at position ${at(positionOf(outcome.last))}. It waits in SCHEDULE_TOPIC_XXXX and comes to its queue in ${seconds} s, as a second record.`,
    'Its level has a queue of its own there (src/delivery/waiting-form.ts); the delivery thread, which starts with the first of them, looks at its head (src/delivery/delay/level-delivery.ts).',
  ];
}

export function flowing(isOn: boolean): string[] {
  return [isOn ? '20 messages a second from now on.' : 'The flow has stopped.'];
}

export function consuming(isOn: boolean): string[] {
  if (!isOn) return ['Nobody reads any more. What was committed stays.'];
  return [
    'A pull waits at each queue: with nothing to read it is parked (src/broker/pull/pull-hold.ts), and the dispatcher wakes it (src/store/dispatch/arrivals.ts).',
    'Offsets are committed to memory and saved every 5 s (src/metadata/offsets.ts): after a kill the last ones may come again.',
  ];
}

export function killed(pid: number, positions: PositionState | undefined): string[] {
  const lines = [
    `Process ${pid} has ended in the middle of what it did. The file "abort" stays: the next start knows by it (src/store/paths.ts).`,
  ];
  if (positions !== undefined) {
    const { appended, flushed } = positions;
    lines.push(
      appended === flushed
        ? `The log ended at ${at(appended)}, and all of it was synced.`
        : `The log ended at ${at(appended)}, synced up to ${at(flushed)}: the ${bytes(appended - flushed)} between lie in the page cache, which is the kernel's and outlives the process. Only a power cut takes them.`,
    );
  }
  return lines;
}

export function threadKilled(
  thread: MortalThread,
  outcome: Outcome,
  end: End,
  lastWords: string | undefined,
): string[] {
  const { acknowledged, refused, unanswered } = outcome;
  return [
    `The thread ${thread} was told to end while messages were sent: ${acknowledged} acknowledged until it had, then none; ${refused} refused, ${unanswered} without an answer.`,
    'Control has set HALTED (src/threads/engine.ts), and with it no answer leaves (src/broker/send/acknowledge.ts).',
    `The process ${endText(end)}${lastWords === undefined ? '.' : `: ${lastWords}`}`,
  ];
}

export function torn({ at: position, from, to, records }: Harm, flushed: number | undefined): string[] {
  const lines = [
    `Zeros stand now from ${at(from)} to ${at(to)}: ${counted(records, 'record')} from ${at(position)} on, as pages look that never reached the disk.`,
  ];
  if (flushed !== undefined && position < flushed)
    lines.push(
      `The log had been synced up to ${at(flushed)}: no power cut tears that, but a disk that lies or fails does.`,
    );
  lines.push(
    'No sound record follows, so a recovery takes it for a torn tail and cuts it (src/store/recovery/tail.ts); "restart" shows that.',
  );
  return lines;
}

export function flipped({ at: position, from }: Harm, { checkpoint }: DiskState): string[] {
  const lines = [`One bit has turned at ${at(from)}, in the body of the record at ${at(position)}.`];
  if (position < checkpoint)
    lines.push(
      `A recovery begins at the checkpoint, ${at(checkpoint)}, and does not look there (src/store/recovery/beliefs.ts): "ringmq log check" does, and a consumer finds that the body's checksum differs.`,
    );
  else
    lines.push(
      'Sound records that follow were written later, so this is damage and no end: a recovery fills the hole and goes on (src/store/recovery/damage.ts, src/store/recovery/hole.ts), where RocketMQ cuts.',
    );
  return lines;
}

export function filled(outcome: Outcome): string[] {
  const { acknowledged, refused, unanswered, reason } = outcome;
  const unheard = unanswered > 0 ? `, ${unanswered} without an answer` : '';
  return [
    `Way: a limit on the size of files (RLIMIT_FSIZE, by prlimit) of ${bytes(SEGMENT_BYTES - 1)}: the kernel refuses to make any file of the log, as on a full disk. A real one needs rights that play does not ask for.`,
    `${counted(acknowledged, 'message')} had room in the files that are there (src/store/log/log-room.ts); then ${refused} refused${unheard}: ${reason}`,
    'A full disk says ENOSPC, and this limit EFBIG: all that differs is that the log of the broker says "the system has run out of something" (src/store/shortage.ts).',
    'Nothing of a refused message is written (src/store/log/commit-log.ts), consumers are served, and "free" makes sends go on.',
  ];
}

export function freed(outcome: Outcome): string[] {
  return [
    `The limit is gone. The writer tries again twice a second (src/store/shortage.ts): ${counted(outcome.acknowledged, 'message')} acknowledged of ${outcome.acknowledged + outcome.refused + outcome.unanswered}.`,
  ];
}

export function stopped(end: End, pid: number): string[] {
  return [
    `Process ${pid} ${endText(end)}. A clean stop syncs the log and the queues, writes the checkpoint and removes "abort" (src/store/opening.ts).`,
  ];
}
