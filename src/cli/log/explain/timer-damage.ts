/** What is wrong with units of the timer log, and at which byte. */
import { emptyUnit, readUnit, UNIT_BYTES } from '../../../delivery/timer/timer-layout.ts';
import type { Damage, Item } from '../item.ts';
import { TIMER_UNIT } from './formats/timers.ts';
import { pieceFields } from './piece-fields.ts';

const MAGIC_BITS = 0xf;

/** Of the unit at `at` of a block that begins at byte `start`. RocketMQ writes none of the seals. */
export function unitDamage(view: DataView, at: number, start: number): Damage[] {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, Math.min(UNIT_BYTES, view.byteLength - at));
  const byte = start + at;
  if (bytes.length < UNIT_BYTES)
    return [{ at: byte, text: `${bytes.length} bytes are left, and they are no BLANK` }];
  const fields = new Map(pieceFields(TIMER_UNIT, bytes).map((field) => [field.name, field]));
  const value = (name: string) => Number(fields.get(name)?.value);
  const wrong = (name: string, text: string): Damage[] => [{ at: byte + (fields.get(name)?.at ?? 0), text }];
  if (value('size') !== UNIT_BYTES)
    return wrong('size', `size is ${value('size')}, a unit has ${UNIT_BYTES} bytes`);
  const magic = view.getInt32(at + (fields.get('magic')?.at ?? 0));
  if (magic === 0 || (magic | MAGIC_BITS) !== MAGIC_BITS)
    return wrong('magic', `magic is ${magic}, which no unit has`);
  if (!readUnit(view, at, emptyUnit()))
    return wrong('due', 'the seal is not that of the 44 bytes in front: one of them has changed');
  if (value('previous') < -1)
    return wrong('previous', `previous is ${value('previous')}, which is no position`);
  if (value('phyOffset') < 0)
    return wrong('phyOffset', `phyOffset is ${value('phyOffset')}, which is no position`);
  return [];
}

/** Zeros between units; behind the last one they are what was never written. */
export class ZeroGap {
  from = -1;

  begin(at: number): void {
    if (this.from < 0) this.from = at;
  }

  /** Units follow: the gap is a damage. `file` = position of the file. */
  item(file: number): Item {
    const at = this.from;
    this.from = -1;
    const damage = [{ at, text: 'zeros stand here, and units follow' }];
    return { what: 'no unit', at: file + at, byte: at, explains: true, short: true, fields: [], damage };
  }
}
