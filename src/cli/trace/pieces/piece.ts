/** Bytes of a real run, cut into fields that explain themselves: each byte belongs to exactly one of them. */

export interface PieceField {
  /** From the start of the piece. */
  at: number;
  length: number;
  name: string;
  value: string;
  /** A few words; may be empty. */
  meaning: string;
}

export interface Piece {
  title: string;
  bytes: Uint8Array;
  /** What the first byte's address is in its own world: position in the log, place in a file, 0 in a frame. */
  from: number;
  fields: PieceField[];
}

/** Puts fields one behind the other: each begins where the one before it ends. */
export class FieldList {
  readonly fields: PieceField[] = [];
  readonly view: DataView;
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = at;
  }

  /** The next `length` bytes. */
  add(length: number, name: string, value: string | number | bigint, meaning = ''): this {
    if (length > 0) this.fields.push({ at: this.at, length, name, value: String(value), meaning });
    this.at += length;
    return this;
  }

  int32(name: string, meaning: string | ((value: number) => string) = ''): number {
    const value = this.view.getInt32(this.at);
    this.add(4, name, value, typeof meaning === 'string' ? meaning : meaning(value));
    return value;
  }

  int16(name: string, meaning: string | ((value: number) => string) = ''): number {
    const value = this.view.getInt16(this.at);
    this.add(2, name, value, typeof meaning === 'string' ? meaning : meaning(value));
    return value;
  }

  int64(name: string, meaning: string | ((value: number) => string) = ''): bigint {
    const value = this.view.getBigInt64(this.at);
    this.add(8, name, value, typeof meaning === 'string' ? meaning : meaning(Number(value)));
    return value;
  }

  /** The next `length` bytes as text. */
  text(length: number, name: string, meaning = ''): string {
    const value = textOf(this.bytes.subarray(this.at, this.at + length));
    this.add(length, name, value, meaning);
    return value;
  }

  /** Whatever is left, so that no byte is without a name. */
  rest(name: string, meaning: string): this {
    const length = this.bytes.length - this.at;
    return this.add(length, name, textOf(this.bytes.subarray(this.at)), meaning);
  }

  /** Fields of something that lies at `at` here, and whose places count from its own start. */
  inside(fields: readonly PieceField[], prefix = ''): this {
    const from = this.at;
    for (const field of fields) {
      this.fields.push({ ...field, at: from + field.at, name: `${prefix}${field.name}` });
      this.at = from + field.at + field.length;
    }
    return this;
  }
}

const SHOWN = 64;

/** As a reader would write it: text between quotes, bytes in hex; only the beginning of what is long. */
export function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  const marked = text.replaceAll('\x01', '␁').replaceAll('\x02', '␂').replaceAll('\n', '↵');
  if (/[\p{Cc}\ufffd]/u.test(marked)) return hexOf(bytes);
  return marked.length <= SHOWN ? marked : `${marked.slice(0, SHOWN)}…`;
}

function hexOf(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, SHOWN / 2)).toString('hex');
  return bytes.length > SHOWN / 2 ? `${shown}…` : shown;
}

/** Whether the fields cover the bytes of the piece from first to last, each once: what every piece must do. */
export function isCovered({ bytes, fields }: Pick<Piece, 'bytes' | 'fields'>): boolean {
  let at = 0;
  for (const field of fields) {
    if (field.at !== at || field.length <= 0) return false;
    at += field.length;
  }
  return at === bytes.length;
}
