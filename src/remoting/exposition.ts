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

/** All samples of one name. They may be added in any order among those of other families. */
export class Family {
  readonly #name: string;
  readonly #common: string;
  readonly #lines: string[];

  constructor(name: string, type: FamilyType, help: string, common: string) {
    this.#name = name;
    this.#common = common;
    this.#lines = [`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`];
  }

  /** What cannot be said (NaN) is left out. */
  add(value: number, labels: Labels = {}): void {
    if (!Number.isNaN(value)) this.#line('', value, labels);
  }

  addBuckets({ bounds, count, sum }: Buckets, labels: Labels = {}): void {
    for (const [bound, upTo] of bounds) this.#line('_bucket', upTo, { ...labels, le: bound });
    this.#line('_bucket', count, { ...labels, le: '+Inf' });
    this.#line('_sum', sum, labels);
    this.#line('_count', count, labels);
  }

  #line(suffix: string, value: number, labels: Labels): void {
    const text = [this.#common, ...Object.entries(labels).map(([name, of]) => label(name, of))]
      .filter((part) => part !== '')
      .join(',');
    this.#lines.push(`${this.#name}${suffix}{${text}} ${value}\n`);
  }

  /** Empty when it has no samples: a name without any says nothing. */
  toString(): string {
    return this.#lines.length === 1 ? '' : this.#lines.join('');
  }
}

export class Exposition {
  readonly #common: string;
  readonly #families: Family[] = [];

  constructor(common: Labels) {
    this.#common = Object.entries(common)
      .map(([name, value]) => label(name, value))
      .join(',');
  }

  family(name: string, type: FamilyType, help: string): Family {
    const family = new Family(name, type, help, this.#common);
    this.#families.push(family);
    return family;
  }

  gauge(name: string, help: string): Family {
    return this.family(name, 'gauge', help);
  }

  counter(name: string, help: string): Family {
    return this.family(name, 'counter', help);
  }

  toString(): string {
    return this.#families.map(String).join('');
  }
}

function label(name: string, value: string | number | boolean): string {
  const escaped = String(value).replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
  return `${name}="${escaped}"`;
}
