/**
 * How a format of the store is described: pieces of bytes with their fields, or members of a JSON text. The tables
 * beside this file are the one place where fields are described: `log dump` takes its words from them, `--explain` its
 * diagrams and annotations, docs/store-files.md all of its text, and tests hold them against the code that writes the
 * files.
 */

/** Integers are big-endian and signed unless they begin with `u`. */
export type FieldType =
  | 'i8'
  | 'i16'
  | 'i32'
  | 'u32'
  | 'i64'
  | 'f64'
  | 'host'
  | 'text'
  | 'bytes'
  | 'properties';

const TYPE_BYTES: Partial<Record<FieldType, number>> = { i8: 1, i16: 2, i32: 4, u32: 4, i64: 8, f64: 8 };

/** Values of the fields in front, by name. */
export type Values = ReadonlyMap<string, number>;

export interface SizeRule {
  /** For people: `bodyLength`. */
  readonly words: string;
  /** Bytes, by the fields in front; `undefined` where they cannot be meant. */
  of(values: Values): number;
}

export interface FieldSpec {
  readonly name: string;
  readonly type: FieldType;
  /** Bytes, where the type does not say. */
  readonly size?: number | SizeRule;
  /** Offset in the piece, where it does not follow the field in front. */
  readonly at?: number;
  /** A few words. */
  readonly meaning: string;
  /** What it is for: sentences. */
  readonly why: string;
  /** What a reader may not assume of it. */
  readonly beware?: string;
}

export interface PieceSpec {
  readonly name: string;
  /** How many there are, and where. */
  readonly place: string;
  readonly fields: readonly FieldSpec[];
}

export interface MemberSpec {
  /** Names with dots between; `*` stands for any name, `[]` for the elements of a list. */
  readonly path: string;
  readonly type: string;
  readonly meaning: string;
  readonly beware?: string;
}

export interface FormatSpec {
  /** The heading of its section. */
  readonly title: string;
  /** Where such files lie, from the store's root. */
  readonly paths: readonly string[];
  readonly matches: RegExp;
  readonly by: string;
  /** What the file is for. */
  readonly about: string;
  /** Who writes it when, and what makes it durable. */
  readonly written: string;
  /** The code that has the layout; from the project's folder. */
  readonly code: string;
  readonly pieces?: readonly PieceSpec[];
  readonly members?: readonly MemberSpec[];
  readonly beware: readonly string[];
}

/** Where a field stands in a piece that was read. */
export interface PlacedField {
  readonly spec: FieldSpec;
  /** Offset in the piece. */
  readonly at: number;
  readonly bytes: number;
}

export function fixedBytes({ type, size }: FieldSpec): number | undefined {
  return typeof size === 'number' ? size : size === undefined ? TYPE_BYTES[type] : undefined;
}

/** Bytes of a piece whose fields all have a fixed size. */
export function pieceBytes(piece: PieceSpec): number {
  let end = 0;
  for (const field of piece.fields) end = (field.at ?? end) + (fixedBytes(field) ?? 0);
  return end;
}

/** The number in a field of up to eight bytes; what is past 2^53 loses its last digits. */
export function numberAt(view: DataView, at: number, type: FieldType): number {
  switch (type) {
    case 'i8':
      return view.getInt8(at);
    case 'i16':
      return view.getInt16(at);
    case 'i32':
      return view.getInt32(at);
    case 'u32':
      return view.getUint32(at);
    case 'i64':
      return Number(view.getBigInt64(at));
    case 'f64':
      return view.getFloat64(at);
    default:
      return 0;
  }
}

/** The fields of the piece that begins with `bytes`, as far as they lie within. */
export function placeFields(piece: PieceSpec, bytes: Uint8Array): PlacedField[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const placed: PlacedField[] = [];
  const values = new Map<string, number>();
  let end = 0;
  for (const spec of piece.fields) {
    const at = spec.at ?? end;
    const fixed = fixedBytes(spec);
    const size = fixed ?? (spec.size as SizeRule).of(values);
    if (size < 0 || at + size > bytes.length) break;
    const type = typeOf(spec.type, size);
    values.set(spec.name, numberAt(view, at, type));
    placed.push({ spec: type === spec.type ? spec : { ...spec, type }, at, bytes: size });
    end = at + size;
  }
  return placed;
}

/** An i8 that is two bytes long is an i16. */
function typeOf(type: FieldType, size: number): FieldType {
  return type === 'i8' && size === 2 ? 'i16' : type;
}

/** The first of the fields' descriptions with that name; throws when the table has none. */
export function fieldOf(piece: PieceSpec, name: string): FieldSpec {
  const field = piece.fields.find((one) => one.name === name);
  if (field === undefined) throw new Error(`${piece.name} has no field ${name}`);
  return field;
}
