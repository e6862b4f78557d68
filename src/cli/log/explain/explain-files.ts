/**
 * `log dump --explain`: each kind of file once in general, then what stands in the files. Goes on behind damage, which
 * is named by its byte.
 */
import type { Disk } from '../../../store/disk/disk.ts';
import { type DumpFile, formatJson, type Item } from '../item.ts';
import { Ticker } from '../report.ts';
import { formatJsonOf, formatText } from './format-text.ts';
import { INDEX } from './formats/index-file.ts';
import type { FormatSpec, PieceSpec } from './formats/shape.ts';
import { damageText, explainedItem, explainedJson, type ReadBytes, type Shown } from './item-text.ts';
import { wrapped } from './text.ts';

export interface ExplainOptions extends Shown {
  json: boolean;
  /** Pieces of each kind in each file. */
  limit: number;
  /** Look for damage behind the pieces that are shown, to the end of each file. */
  toTheEnd: boolean;
  /** For a person who waits. */
  progress: (line: string) => void;
}

const ABOVE = 'Its layout stands above, with the first such file.';
const MORE =
  '… and more, not looked at: name the file to have all of it looked at, or run `ringmq log check`.\n';

export class Explainer {
  /** Damages met so far. */
  damages = 0;
  readonly #disk: Disk;
  readonly #options: ExplainOptions;
  readonly #print: (text: string) => void;
  readonly #told = new Set<FormatSpec>();
  readonly #toldPieces = new Set<PieceSpec>();

  constructor(disk: Disk, options: ExplainOptions, print: (text: string) => void) {
    this.#disk = disk;
    this.#options = options;
    this.#print = print;
  }

  /** `heading`: instead of the file's name alone. */
  file(file: DumpFile, heading = file.path): void {
    const { json } = this.#options;
    if (!json) this.#print(`== ${heading}\n`);
    this.#format(file);
    const read = (at: number, length: number) => bytesOf(this.#disk, file.source, at, length);
    const wrong = file.damage?.() ?? [];
    this.damages += wrong.length;
    if (json && wrong.length > 0) this.#print(`${JSON.stringify({ file: file.path, damage: wrong })}\n`);
    if (!json) for (const damage of wrong) this.#print(damageText(damage, read));
    this.#items(file, read);
  }

  #format({ path, about, format }: DumpFile): void {
    const { json, whys } = this.#options;
    const isNew = format !== undefined && !this.#told.has(format);
    if (isNew) this.#told.add(format);
    if (json) {
      if (isNew) this.#print(`${JSON.stringify({ file: path, explains: formatJsonOf(format) })}\n`);
      return;
    }
    if (format === undefined) this.#print('No broker puts such a file here.\n');
    else if (whys) this.#print(isNew ? wrapped('', `${format.title}: ${format.about}`) : '');
    else this.#print(isNew ? formatText(format) : wrapped('', `${about} ${ABOVE}`));
  }

  #items(file: DumpFile, read: ReadBytes): void {
    const { json, limit, toTheEnd, progress } = this.#options;
    if (!json) this.#print(this.#options.whys ? '\n' : '\nWhat stands in this file\n');
    const ticker = new Ticker();
    const counts = new Map<string, number>();
    let shown = 0;
    let more = 0;
    for (const item of file.items) {
      const kind = item.piece?.name ?? '';
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      const isDamaged = (item.damage?.length ?? 0) > 0;
      this.damages += item.damage?.length ?? 0;
      if (count > limit && !isDamaged) {
        more++;
        if (ticker.due()) progress(`${file.path}: ${shown + more} pieces looked at, ${this.damages} damages`);
        if (toTheEnd || counts.size < kindsOf(file)) continue;
        break;
      }
      this.#item(file, item, read);
      shown++;
    }
    if (json) return;
    if (more > 0)
      this.#print(
        toTheEnd ? `… and ${more} more, sound: --limit 0 shows them, --from begins further on.\n` : MORE,
      );
    this.#print(shown === 0 ? 'nothing\n\n' : '\n');
  }

  #item(file: DumpFile, item: Item, read: ReadBytes): void {
    const { json, hex, whys } = this.#options;
    if (json) {
      this.#print(formatJson(file.path, item, hex, explainedJson(item)));
      return;
    }
    const isNew = item.piece !== undefined && !this.#toldPieces.has(item.piece);
    if (item.piece !== undefined) this.#toldPieces.add(item.piece);
    this.#print(explainedItem(item, { hex, whys: whys && isNew }, read));
  }
}

/** As many as the file has; none of one that cannot be read. */
function bytesOf(disk: Disk, path: string, at: number, length: number): Uint8Array {
  const file = disk.open(path, -1);
  if (typeof file === 'number') return new Uint8Array(0);
  const bytes = new Uint8Array(length);
  const read = file.read(at, bytes, 0, length);
  file.close();
  return bytes.subarray(0, Math.max(0, read));
}

/** Index files have all of their kinds, so one may wait for the last; of others BLANKs may be missing. */
function kindsOf({ format }: DumpFile): number {
  return format === INDEX ? (format.pieces?.length ?? 1) : 1;
}
