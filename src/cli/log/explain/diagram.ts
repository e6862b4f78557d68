/** Pictures of a piece: rows of up to 16 bytes, each beginning with the offset of its first byte. */
import { type FieldSpec, fixedBytes, type PieceSpec, type SizeRule } from './formats/shape.ts';

const ROW_BYTES = 16;
/** Columns of a byte, the edge included. */
const BYTE_COLUMNS = 5;
const LONGEST_CELL = 79;

interface Cell {
  text: string;
  width: number;
}

interface Row {
  /** Offset of its first byte; undefined behind a field of no fixed size. */
  at: number | undefined;
  cells: Cell[];
}

/** Lines of text, without an end of line. */
export function diagram(piece: PieceSpec): string[] {
  const lines: string[] = [];
  let edge = '';
  for (const { at, cells } of rowsOf(piece.fields)) {
    const border = `        +${cells.map(({ width }) => '-'.repeat(width)).join('+')}+`;
    lines.push(longer(edge, border));
    lines.push(
      `${String(at ?? '…').padStart(7)} |${cells.map(({ text, width }) => text.padEnd(width)).join('|')}|`,
    );
    edge = border;
  }
  return [...lines, edge];
}

/** The edge between two rows: that of the longer one, with the corners of both. */
function longer(a: string, b: string): string {
  const [long, short] = a.length > b.length ? [a, b] : [b, a];
  return [...long].map((sign, i) => (short[i] === '+' ? '+' : sign)).join('');
}

function rowsOf(fields: readonly FieldSpec[]): Row[] {
  const rows: Row[] = [];
  let at: number | undefined = 0;
  let inRow = ROW_BYTES;
  for (const field of fields) {
    const bytes = fixedBytes(field);
    const usual = bytes ?? usualBytes(field);
    const begins =
      inRow + (usual ?? ROW_BYTES) > ROW_BYTES || (rows.at(-1)?.at === undefined && at !== undefined);
    if (begins) {
      rows.push({ at, cells: [] });
      inRow = 0;
    }
    rows.at(-1)?.cells.push(cellOf(field, bytes, usual));
    inRow += usual ?? ROW_BYTES;
    at = at === undefined || usual === undefined ? undefined : at + usual;
  }
  return rows;
}

/** Offsets of the fields, as they mostly are; undefined behind one whose size differs each time. */
export function usualOffsets({ fields }: PieceSpec): (number | undefined)[] {
  let at: number | undefined = 0;
  return fields.map((field) => {
    const own = field.at ?? at;
    const bytes = fixedBytes(field) ?? usualBytes(field);
    at = own === undefined || bytes === undefined ? undefined : own + bytes;
    return own;
  });
}

/** Of a field that has mostly the same size, which its words begin with: `8, or 20 with IPv6`. */
export function usualBytes({ size }: FieldSpec): number | undefined {
  const first = Number.parseInt((size as SizeRule).words, 10);
  return Number.isNaN(first) ? undefined : first;
}

function cellOf(field: FieldSpec, bytes: number | undefined, usual: number | undefined): Cell {
  const { name, type, size } = field;
  const words = bytes === undefined ? (size as SizeRule).words : '';
  const text = words === '' ? ` ${name} ${typeWord(type, bytes)}` : ` ${name} (${words})`;
  const width = Math.min(LONGEST_CELL, (usual ?? ROW_BYTES) * BYTE_COLUMNS - 1);
  return { text, width: Math.max(width, text.length) };
}

function typeWord(type: FieldSpec['type'], bytes: number | undefined): string {
  return type === 'bytes' ? `${bytes} bytes` : type;
}
