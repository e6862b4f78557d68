/**
 * Opens the files of the wheel. All of them follow from the queue of the timer topic, so files that are damaged,
 * missing, or of another size or precision are removed, with a line that names file and cause, and made anew.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock } from '../../lib/clock.ts';
import type { ControlLog } from '../../lib/log.ts';
import type { AppendTimesState } from '../../metadata/append-times.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { errnoName } from '../../store/disk/errors.ts';
import { storePaths } from '../../store/paths.ts';
import { type LateSlots, NONE_LATE } from './late-slots.ts';
import { NOTHING_PARTLY, readTimerCheck, type TimerCheck, unsound, writeTimerCheck } from './timer-check.ts';
import { TimerClock, type TimerClockState } from './timer-clock.ts';
import { TimerClockFile } from './timer-clock-file.ts';
import { NONE, SLOT_BYTES, WHEEL_SLOTS } from './timer-layout.ts';
import { TimerLog } from './timer-log.ts';
import { TimerStore } from './timer-store.ts';
import { TimerWheel } from './timer-wheel.ts';

export interface TimerOptions {
  /** Root of the store. */
  directory: string;
  timerPrecisionMs: number;
  timerRollWindowSlot: number;
  mappedFileSizeTimerLog: number;
  /** Of the wheel, but for tests RocketMQ's number. */
  wheelSlots?: number;
  /** See TimerDelivery. */
  recalledKeys?: number;
}

/** Slots of the wheel that are not used for waiting (RocketMQ's number). */
const BLANK_SLOTS = 60;

const UNKNOWN_CLOCK: TimerClockState = { boot: 0, base: 0, ahead: 0, steps: [] };

export interface FoundTimers {
  check: TimerCheck | undefined;
  /** First position of the log's files, and behind the last of them; both 0 without files. */
  logStart: number;
  logEnd: number;
  /** Why wheel and log cannot be used. */
  problem: string | undefined;
  /** There was a wheel, or a log. */
  exist: boolean;
}

export class TimerFiles {
  readonly #disk: Disk;
  readonly #options: TimerOptions;
  readonly #log: ControlLog;
  readonly #slots: number;
  readonly #clockFile: TimerClockFile;

  constructor(disk: Disk, options: TimerOptions, log: ControlLog) {
    this.#disk = disk;
    this.#clockFile = new TimerClockFile(disk, options.directory, (line) => log.warn({}, line));
    this.#options = options;
    this.#log = log;
    this.#slots = options.wheelSlots ?? WHEEL_SLOTS;
  }

  find(): FoundTimers {
    const { directory } = this.#options;
    const check = this.#check();
    const wheel = storePaths.timerWheel(directory);
    const size = this.#disk.size(wheel);
    const names = this.#logNames();
    const starts = names.map(Number);
    const logStart = starts[0] ?? 0;
    const logEnd = logStart + names.length * this.#options.mappedFileSizeTimerLog;
    const problem =
      this.#wheelProblem(size, check) ??
      this.#logProblem(names) ??
      this.#missingLog(size, check, logEnd) ??
      this.#unsound() ??
      precisionProblem(check, this.#options);
    return { check, logStart, logEnd, problem, exist: size >= 0 || names.length > 0 };
  }

  /** What is known of when the entries of the queue came; only in the same boot. */
  timesBefore(): AppendTimesState | undefined {
    const check = this.#read(storePaths.timerCheck(this.#options.directory));
    const clock = this.#clockFile.newest(typeof check === 'object' ? check : undefined)?.state;
    const boot = bootNumber(this.#disk);
    const kept = this.#clockFile.times(boot);
    if (clock === undefined || boot === 0 || clock.boot !== boot) return kept;
    return { stepped: false, spans: [], ...kept, skew: clock.base + clock.ahead };
  }

  /** For who goes on with the queue. */
  keepTimes(times: AppendTimesState): void {
    try {
      this.#clockFile.keepTimes(bootNumber(this.#disk), times);
    } catch (error) {
      const reason = (error as Error).message;
      this.#log.warn(
        { reason },
        'when timed messages came is not kept: delays go by the clock, should it be set',
      );
    }
  }

  #check(): TimerCheck | undefined {
    const path = storePaths.timerCheck(this.#options.directory);
    const check = this.#read(path);
    if (typeof check !== 'string') return check;
    const what = 'the checkpoint of timers is not used: messages may be delivered once more';
    this.#log.warn({ file: path, reason: check }, what);
    return undefined;
  }

  #unsound(): string | undefined {
    try {
      return unsound(this.#disk, storePaths.timerCheck(this.#options.directory));
    } catch {
      // That was told.
      return undefined;
    }
  }

  #read(path: string): TimerCheck | string | undefined {
    try {
      return readTimerCheck(this.#disk, path);
    } catch (error) {
      return (error as Error).message;
    }
  }

  #wheelProblem(size: number, check: TimerCheck | undefined): string | undefined {
    const path = storePaths.timerWheel(this.#options.directory);
    const expected = this.#slots * SLOT_BYTES;
    if (size >= 0 && size !== expected) return `${path} has ${size} bytes instead of ${expected}`;
    return size < 0 && check !== undefined && check.queueOffset > 0 ? `${path} is missing` : undefined;
  }

  #logProblem(names: readonly string[]): string | undefined {
    const { directory, mappedFileSizeTimerLog: fileSize } = this.#options;
    for (const [i, name] of names.entries()) {
      const path = join(storePaths.timerLog(directory), name);
      const size = this.#disk.size(path);
      if (size !== fileSize)
        return `${path} has ${size} bytes instead of ${fileSize} (mappedFileSizeTimerLog)`;
      if (i > 0 && Number(name) !== Number(names[i - 1]) + fileSize)
        return `a file is missing before ${path}`;
    }
    return undefined;
  }

  #missingLog(wheelSize: number, check: TimerCheck | undefined, logEnd: number): string | undefined {
    const directory = storePaths.timerLog(this.#options.directory);
    if (check !== undefined && check.logEnd > logEnd)
      return `${directory} ends at ${logEnd}, before the ${check.logEnd} that the checkpoint says`;
    return logEnd === 0 && wheelSize >= 0 && check === undefined ? `${directory} is missing` : undefined;
  }

  #logNames(): string[] {
    const directory = storePaths.timerLog(this.#options.directory);
    const names = this.#disk.list(directory).filter((name) => /^\d{20}$/.test(name));
    names.sort();
    // A file without bytes was being made when a crash came.
    const last = names.at(-1);
    if (last !== undefined && this.#disk.size(join(directory, last)) === 0) {
      this.#disk.remove(join(directory, last));
      names.pop();
    }
    return names;
  }

  /**
   * The checkpoint that has to stand before wheel and log are made anew: what the one before says of positions, and of
   * units that count no more, must never be believed of the new log.
   */
  remakingCheck(check: TimerCheck): TimerCheck {
    const { timerPrecisionMs: precisionMs } = this.#options;
    const { state, elapsed } = this.#clockFile.newest(check) ?? { state: UNKNOWN_CLOCK, elapsed: 0 };
    const readSlot = Math.floor(check.readTimeMs / precisionMs);
    const clock = { ...state, steps: [] };
    const nothing = { floor: NONE, partly: NOTHING_PARTLY, displacedFrom: NONE };
    const own = { precisionMs, clock, readSlot, ...nothing, remaking: true };
    return { ...check, logEnd: 0, timestamp: elapsed + clock.ahead, counter: check.counter + 1, own };
  }

  /** Writes it, at the start, when nobody else writes one. A string says why the disk refuses. */
  announceRemaking(check: TimerCheck): string | undefined {
    try {
      const path = storePaths.timerCheck(this.#options.directory);
      writeTimerCheck(this.#disk, path, this.remakingCheck(check));
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Wheel and log go, to be made anew. */
  remove(problem: string): void {
    const { directory } = this.#options;
    this.#log.warn({ reason: problem }, 'the timing wheel is made anew from the queue of the timer topic');
    this.#disk.remove(storePaths.timerLog(directory));
    this.#disk.remove(storePaths.timerWheel(directory));
  }

  /**
   * The files, made when they are missing; a string says why that is not possible. There is a clock and a checkpoint
   * before there is anything else: who finds a wheel without one knows that it was lost.
   */
  open(clock: Clock, found: FoundTimers): TimerStore | string {
    try {
      const before = this.#clockFile.newest(found.check);
      const lastMs = before === undefined ? 0 : before.elapsed + before.state.ahead;
      const { timerPrecisionMs } = this.#options;
      const boot = bootNumber(this.#disk);
      const timerClock = new TimerClock(clock, timerPrecisionMs, boot, before?.state, lastMs);
      this.#clockFile.keep(timerClock);
      if (!found.exist && found.check === undefined) this.#writeFirst(timerClock);
      return this.#open(timerClock, found.check?.late);
    } catch (error) {
      return (error as Error).message;
    }
  }

  #writeFirst(clock: TimerClock): void {
    const { precisionMs, slot: readSlot, nowMs: timestamp } = clock;
    const own = {
      precisionMs,
      clock: clock.state(),
      readSlot,
      floor: NONE,
      partly: NOTHING_PARTLY,
      remaking: false,
      displacedFrom: NONE,
    };
    const readTimeMs = readSlot * precisionMs;
    const first = { readTimeMs, logEnd: 0, queueOffset: 0, timestamp, counter: 1, own, late: NONE_LATE };
    writeTimerCheck(this.#disk, storePaths.timerCheck(this.#options.directory), first);
  }

  #open(clock: TimerClock, late: LateSlots | undefined): TimerStore | string {
    const { directory, timerRollWindowSlot, mappedFileSizeTimerLog } = this.#options;
    const path = storePaths.timerWheel(directory);
    const file = this.#disk.open(path, this.#slots * SLOT_BYTES);
    if (typeof file === 'number') return `${path} cannot be made (${errnoName(-file)})`;
    const longest = this.#slots / 2 - BLANK_SLOTS;
    const inRange = timerRollWindowSlot >= 2 && timerRollWindowSlot <= longest;
    const log = new TimerLog(this.#disk, storePaths.timerLog(directory), mappedFileSizeTimerLog);
    const wheel = new TimerWheel(file, this.#slots);
    return new TimerStore(log, wheel, clock, inRange ? timerRollWindowSlot : longest, late);
  }

  /** What stands in the log's files from `end` on is not to be read again after the next crash. */
  dropBehind(end: number, logEnd: number): boolean {
    const { directory, mappedFileSizeTimerLog: fileSize } = this.#options;
    for (let start = end - (end % fileSize); start < logEnd; start += fileSize) {
      const path = join(storePaths.timerLog(directory), String(start).padStart(20, '0'));
      const from = Math.max(0, end - start);
      if (this.#disk.firstData(path, from) < 0) continue;
      if (this.#disk.zero(path, from, fileSize) < 0) return false;
    }
    return true;
  }
}

function precisionProblem(
  check: TimerCheck | undefined,
  { timerPrecisionMs }: TimerOptions,
): string | undefined {
  const before = check?.own?.precisionMs ?? timerPrecisionMs;
  if (before === timerPrecisionMs) return undefined;
  return `it was written with timerPrecisionMs ${before}, now it is ${timerPrecisionMs}`;
}

function bootNumber(disk: Disk): number {
  const boot = disk.boot();
  return boot === '' ? 0 : crc32(boot);
}
