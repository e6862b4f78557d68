/** What a test thread can be asked to do; runs in the worker. */
import { addon } from '../../../src/native/addon.ts';

const views = new Map<number, Uint8Array>();
let bellRings = 0;

const SMALL = 4096;

function viewOf(region: number): Uint8Array {
  let view = views.get(region);
  if (view === undefined) {
    view = new Uint8Array(addon.attach(region));
    views.set(region, view);
  }
  return view;
}

export const operations = {
  attach(region: number): number {
    return viewOf(region).length;
  },
  isSameBuffer(region: number): boolean {
    return addon.attach(region) === viewOf(region).buffer;
  },
  write(region: number, offset: number, bytes: readonly number[]): void {
    viewOf(region).set(bytes, offset);
  },
  read(region: number, offset: number, length: number): number[] {
    return Array.from(viewOf(region).subarray(offset, offset + length));
  },
  readOne(region: number, offset: number): number | undefined {
    return viewOf(region)[offset];
  },
  length(region: number): number {
    return viewOf(region).length;
  },
  detach(region: number): void {
    addon.detach(region);
  },
  openSegment(path: string, bytes: number, create: boolean): number {
    return addon.openSegment(path, bytes, create);
  },
  /** Reads and writes all over the region until the time is up; number of accesses. */
  hammer(region: number, milliseconds: number): number {
    const view = viewOf(region);
    const deadline = performance.now() + milliseconds;
    let accesses = 0;
    while (performance.now() < deadline) {
      for (let offset = accesses % 97; offset < view.length; offset += 509) {
        view[offset] = ((view[offset] ?? 0) + 1) & 0xff;
        accesses += 1;
      }
      addon.crcOfRegion(region, 0, view.length);
    }
    return accesses;
  },
  /** Writes its number into its own slot of each file and reads it back; number of wrong bytes. */
  exchangeFiles(files: readonly number[], slot: number, rounds: number): number {
    const bytes = new Uint8Array(16);
    let wrong = 0;
    for (let round = 0; round < rounds; round += 1) {
      for (const file of files) {
        const value = (file + slot + round) & 0xff;
        bytes.fill(value);
        addon.writeFile(file, slot * 16, bytes, 0, 16);
        bytes.fill(0);
        addon.readFile(file, slot * 16, bytes, 0, 16);
        wrong += bytes.filter((byte) => byte !== value).length;
      }
    }
    return wrong;
  },
  openAndCloseFiles(paths: readonly string[], rounds: number): number {
    const bytes = new Uint8Array(8);
    let failures = 0;
    for (let round = 0; round < rounds; round += 1) {
      for (const path of paths) {
        const file = addon.openFile(path, 64);
        if (file < 0 || addon.writeFile(file, 0, bytes, 0, 8) !== 8) failures += 1;
        addon.closeFile(file);
      }
    }
    return failures;
  },
  openDoorbell(): number {
    return addon.openDoorbell(() => {
      bellRings += 1;
    });
  },
  bellRings(): number {
    return bellRings;
  },
  ringDoorbell(bell: number, times: number): void {
    for (let ring = 0; ring < times; ring += 1) addon.ringDoorbell(bell);
  },
  /** Parks until `done[0]` is set, as often as it takes; how often. `done[1]` counts, for others to see. */
  parkUntil(place: number, done: Int32Array): number {
    while (Atomics.load(done, 0) === 0) {
      Atomics.add(done, 1, 1);
      addon.park(place, 1000);
    }
    return Atomics.load(done, 1);
  },
  parkForever(place: number): void {
    for (;;) addon.park(place, 1000);
  },
  /** Answers each number of `turns[0]` by the same in `turns[1]`, parked in between; sleeps that nobody ended. */
  answerTurns(places: readonly [mine: number, others: number], turns: Int32Array, last: number): number {
    let missed = 0;
    for (let turn = 1; turn <= last; turn++) {
      while (Atomics.load(turns, 0) < turn) missed += 1 - addon.park(places[0], 1000);
      Atomics.store(turns, 1, turn);
      addon.unpark(places[1]);
    }
    return missed;
  },
  startSync(): void {
    void addon.syncDirtyFiles();
  },
  startPrepare(path: string, bytes: number): void {
    void addon.prepareSegment(path, bytes);
  },
  /** Attaches, detaches and starts work in the pool without ever coming back to its event loop. */
  callForever(region: number, path: string): void {
    for (;;) {
      void addon.prepareSegment(path, SMALL);
      void addon.populateRegion(region, 0, SMALL);
      for (let n = 0; n < 50; n += 1) {
        new Uint8Array(addon.attach(region)).fill(1, 0, 8);
        addon.detach(region);
      }
    }
  },
  sleepForever(): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  spinForever(region: number): void {
    const view = viewOf(region);
    for (let offset = 0; ; offset = (offset + 1) % view.length) view[offset] = offset & 0xff;
  },
};

export type Operations = typeof operations;
