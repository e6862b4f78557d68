/** Prometheus' text format, version 0.0.4: families of samples, each with the labels that all of them have. */

export type Labels = Readonly<Record<string, string | number | boolean>>;
export type FamilyType = 'gauge' | 'counter' | 'histogram';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Buckets {
  /** Upper bounds, ascending, and how many observations are not above each. */
  readonly bounds: readonly (readonly [bound: number, count: number])[];
  readonly count: number;
  readonly sum: number;
}

const NO_LABELS: Labels = {};

/** Labels as text. Those of a topic or group come to one family after the other: they are made text once. */
class LabelTexts {
  #last: Labels = NO_LABELS;
  #text = '';

  of(labels: Labels): string {
    if (labels !== this.#last) {
      this.#text = '';
      for (const [name, value] of Object.entries(labels))
        this.#text += `${this.#text === '' ? '' : ','}${label(name, value)}`;
      this.#last = labels;
    }
    return this.#text;
  }
}

/** Text is made bytes when there is so much of it: long strings would be the work of one turn at the end. */
const CHUNK_CHARS = 16 * 1024;

/** All samples of one name. They may be added in any order among those of other families. */
export class Family {
  readonly #name: string;
  readonly #common: string;
  readonly #texts: LabelTexts;
  readonly #chunks: Buffer[] = [];
  #text: string;
  #isEmpty = true;

  constructor(name: string, type: FamilyType, help: string, common: string, texts: LabelTexts) {
    this.#name = name;
    this.#common = common;
    this.#texts = texts;
    this.#text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  /** What cannot be said (NaN) is left out. */
  add(value: number, labels: Labels = NO_LABELS): void {
    if (!Number.isNaN(value)) this.#line(this.#start('', labels), value);
  }

  addBuckets({ bounds, count, sum }: Buckets, labels: Labels = NO_LABELS): void {
    const start = this.#start('_bucket', labels);
    const upTo = start.endsWith('{') ? `${start}le="` : `${start},le="`;
    for (const [bound, below] of bounds) this.#line(`${upTo}${bound}"`, below);
    this.#line(`${upTo}+Inf"`, count);
    this.#line(this.#start('_sum', labels), sum);
    this.#line(this.#start('_count', labels), count);
  }

  #start(suffix: string, labels: Labels): string {
    const own = this.#texts.of(labels);
    const comma = this.#common !== '' && own !== '' ? ',' : '';
    return `${this.#name}${suffix}{${this.#common}${comma}${own}`;
  }

  #line(start: string, value: number): void {
    this.#isEmpty = false;
    this.#text += `${start}} ${value}\n`;
    if (this.#text.length < CHUNK_CHARS) return;
    this.#chunks.push(Buffer.from(this.#text));
    this.#text = '';
  }

  /** No bytes when it has no samples: a name without any says nothing. */
  bytes(): readonly Buffer[] {
    return this.#isEmpty ? [] : [...this.#chunks, Buffer.from(this.#text)];
  }
}

export class Exposition {
  readonly #common: string;
  readonly #texts = new LabelTexts();
  readonly #families: Family[] = [];

  constructor(common: Labels) {
    this.#common = this.#texts.of(common);
  }

  family(name: string, type: FamilyType, help: string): Family {
    const family = new Family(name, type, help, this.#common, this.#texts);
    this.#families.push(family);
    return family;
  }

  gauge(name: string, help: string): Family {
    return this.family(name, 'gauge', help);
  }

  counter(name: string, help: string): Family {
    return this.family(name, 'counter', help);
  }

  /** The page, to be sent as it is. */
  bytes(): Buffer {
    return Buffer.concat(this.#families.flatMap((family) => family.bytes()));
  }
}

const ESCAPED = /[\\"\n]/;

function label(name: string, value: string | number | boolean): string {
  const text = String(value);
  if (!ESCAPED.test(text)) return `${name}="${text}"`;
  return `${name}="${text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`;
}
