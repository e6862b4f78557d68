/** Wheel and timer log: every chain is whole, leads backwards, and its units point to records that there are. */
import { join } from 'node:path';
import { decodeTimerCheck } from '../../delivery/timer/timer-check.ts';
import {
  emptyUnit,
  NONE,
  readSlot,
  readUnit,
  SLOT_BYTES,
  UNIT_BYTES,
  WHEEL_SLOTS,
  type WheelSlot,
} from '../../delivery/timer/timer-layout.ts';
import type { Disk, RangeFile } from '../../store/disk/disk.ts';
import { fileNameOf } from '../../store/log/segments.ts';
import { storePaths } from '../../store/paths.ts';
import type { LogFacts } from './check-commit-log.ts';
import type { RecordLookup } from './record-lookup.ts';
import { type Found, type Report, Ticker } from './report.ts';
import { positionFiles, type StoreFiles } from './store-files.ts';

const BLOCK_SLOTS = 2048;

export class TimerFilesCheck {
  units = 0;
  readonly #disk: Disk;
  readonly #root: string;
  readonly #report: Report;
  readonly #log: LogFacts;
  readonly #records: RecordLookup;
  readonly #ticker = new Ticker();
  readonly #files = new Map<number, RangeFile>();
  readonly #bytes = new Uint8Array(UNIT_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #fileSize = 0;
  /** Slots before it are delivered: RocketMQ leaves their chains. */
  #readTimeMs = 0;

  constructor(disk: Disk, store: StoreFiles, report: Report, log: LogFacts, records: RecordLookup) {
    this.#disk = disk;
    this.#root = store.root;
    this.#report = report;
    this.#log = log;
    this.#records = records;
  }

  run(): void {
    this.#checkCheckpoint();
    const wheel = storePaths.timerWheel(this.#root);
    if (this.#disk.size(wheel) < 0) return;
    this.#openLog();
    try {
      this.#report.file('Timed messages', 'timerwheel', (found) => this.#checkWheel(wheel, found));
    } finally {
      for (const file of this.#files.values()) file.close();
    }
  }

  #checkCheckpoint(): void {
    const bytes = this.#disk.readWhole(storePaths.timerCheck(this.#root));
    if (bytes === undefined) return;
    this.#report.file('Timed messages', 'config/timercheck', (found) => {
      const check = decodeTimerCheck(bytes);
      if (typeof check === 'string') {
        found('timers-check', 0, check);
        return 'not read';
      }
      this.#readTimeMs = check.readTimeMs;
      return `${check.queueOffset} entries of rmq_sys_wheel_timer are in the wheel`;
    });
  }

  #openLog(): void {
    const directory = storePaths.timerLog(this.#root);
    for (const name of positionFiles(this.#disk, directory)) {
      const file = this.#disk.open(join(directory, name), -1);
      if (typeof file === 'number') continue;
      this.#files.set(Number(name), file);
      this.#fileSize = Math.max(this.#fileSize, file.size());
    }
  }

  #checkWheel(path: string, found: Found): string {
    const size = this.#disk.size(path);
    const file = this.#disk.open(path, -1);
    if (size !== WHEEL_SLOTS * SLOT_BYTES || typeof file === 'number') {
      found('timers-wheel', 0, `has ${size} bytes, ${WHEEL_SLOTS * SLOT_BYTES} belong there`);
      return 'not read';
    }
    let chains = 0;
    const block = new Uint8Array(BLOCK_SLOTS * SLOT_BYTES);
    const view = new DataView(block.buffer);
    for (let at = this.#disk.firstData(path, 0); at >= 0 && at < size; ) {
      const start = at - (at % block.length);
      const read = file.read(start, block, 0, block.length);
      for (let i = 0; i + SLOT_BYTES <= read; i += SLOT_BYTES) {
        const slot = readSlot(view, i);
        if (slot.slot <= 0 || slot.last < 0) continue;
        chains++;
        this.#checkChain(slot, start + i, found);
      }
      at = this.#disk.firstData(path, start + block.length);
    }
    file.close();
    return `${chains} slots, ${this.units} units`;
  }

  #checkChain({ slot, last }: WheelSlot, at: number, found: Found): void {
    const unit = emptyUnit();
    for (let position = last; position !== NONE; position = unit.previous) {
      if (!this.#readAt(position) || !readUnit(this.#view, 0, unit) || unit.previous >= position) {
        const isOver = unit.slotTime > 0 && unit.slotTime < this.#readTimeMs;
        if (!isOver)
          found(
            'timers-chain',
            at,
            `slot ${slot} leads to ${position} of the timer log, where no unit of it stands`,
          );
        return;
      }
      this.units++;
      if (this.#ticker.due()) this.#report.progress(this.units, this.units, 'units');
      if (unit.slotTime < this.#readTimeMs || unit.physical < this.#log.start) continue;
      const problem = this.#records.problemAt(unit.physical);
      if (problem !== undefined)
        found('timers-record', at, `unit ${position} of slot ${slot} points to ${unit.physical}: ${problem}`);
    }
  }

  #readAt(position: number): boolean {
    if (this.#fileSize === 0) return false;
    const start = position - (position % this.#fileSize);
    const file = this.#files.get(Number(fileNameOf(start)));
    return file?.read(position - start, this.#bytes, 0, UNIT_BYTES) === UNIT_BYTES;
  }
}
