// Expressions and messages for the SQL92 filter, made from a seed: mostly valid expressions over few properties, whose
// values are the ones that conversions stumble over.

import { parseDouble } from '../../../src/lib/java-numbers.ts';
import type { Random } from '../../support/random.ts';
import { BLANKS, BROKEN, LITERALS, NAMES, NUMBERS, ODD_TEXTS, REFUSED, STRAYS, TEXTS } from './sql-values.ts';

export interface SqlCase {
  /** Tokens with what separates them. */
  readonly pieces: readonly string[];
  /** Of each message its properties, entry by entry. */
  readonly messages: readonly (readonly Uint8Array[])[];
}

export function textOf({ pieces }: SqlCase): string {
  return pieces.join('');
}

export function makeCase(random: Random, messages: number): SqlCase {
  const tokens = new Expressions(random).condition(random.int(0, 4));
  if (random.chance(0.05)) disturb(tokens, random);
  return {
    pieces: tokens.flatMap((token, i) =>
      i === 0 ? [cased(token, random)] : [blank(random), cased(token, random)],
    ),
    messages: Array.from({ length: messages }, () => makeMessage(random)),
  };
}

function disturb(tokens: string[], random: Random): void {
  const at = random.int(0, tokens.length);
  const removed = random.int(0, 2);
  tokens.splice(at, removed, ...(random.chance(0.6) ? [random.pick(STRAYS)] : []));
}

function blank(random: Random): string {
  return random.chance(0.9) ? ' ' : random.pick(BLANKS);
}

function cased(token: string, random: Random): string {
  if (!/^[A-Z]{2,}$/.test(token) || token === 'TAGS' || random.chance(0.8)) return token;
  return [...token].map((letter) => (random.chance(0.5) ? letter.toLowerCase() : letter)).join('');
}

/** Grammar rules as lists of tokens, `depth` levels of conditions deep. */
class Expressions {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  condition(depth: number): string[] {
    const random = this.#random;
    if (depth <= 0) return this.#test();
    switch (random.int(0, 9)) {
      case 0:
      case 1:
      case 2:
        return [...this.condition(depth - 1), 'AND', ...this.condition(depth - 1)];
      case 3:
      case 4:
      case 5:
        return [...this.condition(depth - 1), 'OR', ...this.condition(depth - 1)];
      case 6:
        return ['NOT', '(', ...this.condition(depth - 1), ')'];
      case 7:
        return ['(', ...this.condition(depth - 1), ')'];
      case 8:
        return this.#mixed(depth);
      default:
        return this.#test();
    }
  }

  /** Conditions as values: compared with each other, with texts, searched, asked whether they are null. */
  #mixed(depth: number): string[] {
    const random = this.#random;
    const inner = ['(', ...this.condition(depth - 1), ')'];
    const value = random.pick([
      () => inner,
      () => this.#value(),
      () => [random.pick(['TRUE', 'FALSE', 'NULL'])],
    ])();
    switch (random.int(0, 4)) {
      case 0:
        return [...inner, random.pick(['=', '<>']), ...value];
      case 1:
        return [...value, random.pick(['=', '<>']), ...inner];
      case 2:
        return [...inner, 'IS', ...(random.chance(0.5) ? ['NOT'] : []), 'NULL'];
      case 3:
        return [
          '-',
          ...inner,
          random.pick(['=', '>', '<=', 'IS']),
          ...(random.chance(0.5) ? ['NULL'] : value),
        ];
      default:
        return [...inner, 'CONTAINS', this.#string()];
    }
  }

  #test(): string[] {
    const random = this.#random;
    const negated = random.chance(0.4) ? ['NOT'] : [];
    switch (random.int(0, 10)) {
      case 0:
      case 1:
        return [...this.#value(), random.pick(['=', '<>']), ...this.#value()];
      case 10:
        return ['a', random.pick(['<', '<=', '>', '>=']), 'b'];
      case 2:
      case 3:
        return [...this.#ordered(), random.pick(['<', '<=', '>', '>=']), ...this.#ordered()];
      case 4:
        return [...this.#ordered(), ...negated, 'BETWEEN', ...this.#ordered(), 'AND', ...this.#ordered()];
      case 5:
        return [this.#name(), ...negated, 'IN', '(', ...this.#list(), ')'];
      case 6:
      case 7:
        return [...this.#value(), ...negated, this.#way(), this.#string()];
      case 8:
        return [...this.#value(), 'IS', ...negated, 'NULL'];
      default:
        return random.pick([[this.#name()], ['TRUE'], ['FALSE'], ['NULL'], ['NOT', this.#name()]]);
    }
  }

  #way(): string {
    return this.#random.pick(['CONTAINS', 'STARTSWITH', 'ENDSWITH']);
  }

  #list(): string[] {
    const strings = Array.from({ length: this.#random.int(1, 7) }, () => this.#string());
    return strings.flatMap((text, i) => (i === 0 ? [text] : [',', text]));
  }

  #value(): string[] {
    const random = this.#random;
    if (random.chance(0.55)) return [this.#name()];
    if (random.chance(0.5)) return [this.#string()];
    if (random.chance(0.7)) return this.#number();
    return random.pick([
      ['TRUE'],
      ['FALSE'],
      ['NULL'],
      ['-', this.#name()],
      ['+', this.#name()],
      ['-', 'TRUE'],
    ]);
  }

  #ordered(): string[] {
    const random = this.#random;
    if (random.chance(0.5)) return [this.#name()];
    if (random.chance(0.95)) return this.#number();
    return random.pick([[this.#string()], ['-', this.#name()], ['TRUE'], ['NULL'], ['(', this.#name(), ')']]);
  }

  #number(): string[] {
    const random = this.#random;
    const signs = random.chance(0.2) ? random.pick([['-'], ['+'], ['-', '-'], ['-', '+']]) : [];
    return [...signs, random.chance(0.04) ? random.pick(REFUSED) : random.pick(LITERALS)];
  }

  #name(): string {
    return this.#random.pick(NAMES);
  }

  #string(): string {
    const random = this.#random;
    const text = random.pick(random.pick([TEXTS, TEXTS, NUMBERS, ODD_TEXTS]));
    const part = random.chance(0.2) ? text.slice(random.int(0, 1), random.int(1, 3)) : text;
    return `'${part.replaceAll("'", "''")}'`;
  }
}

function makeMessage(random: Random): Uint8Array[] {
  return random.chance(0.1) ? makeTwins(random) : makeEntries(random);
}

/** A number in `a` and the shortest text of the same double in `b`: a rounding that is wrong shows. */
function makeTwins(random: Random): Uint8Array[] {
  const text = random.chance(0.5) ? random.pick(NUMBERS) : randomNumber(random);
  const twin = parseDouble(text);
  const rest = makeEntries(random).slice(0, 3);
  return [...rest, Buffer.from(`a\x01${text}\x02`), Buffer.from(`b\x01${twin ?? random.pick(TEXTS)}\x02`)];
}

function makeEntries(random: Random): Uint8Array[] {
  const names = [...NAMES, ...NAMES.slice(0, 4), 'other', ''];
  return Array.from({ length: random.int(0, 7) }, () => {
    const value = Buffer.concat(
      random.chance(0.9) ? [valueBytes(random)] : [valueBytes(random), valueBytes(random)],
    );
    const separator = random.chance(0.98) ? '\x01' : '';
    const end = random.chance(0.97) ? '\x02' : random.pick(['', '\x02\x02', '\x01\x02']);
    return Buffer.concat([Buffer.from(random.pick(names) + separator), value, Buffer.from(end)]);
  });
}

function valueBytes(random: Random): Uint8Array {
  switch (random.int(0, 11)) {
    case 0:
      return Buffer.alloc(0);
    case 1:
      return Uint8Array.from(random.pick(BROKEN));
    case 2:
      return Buffer.from(randomNumber(random));
    case 3:
    case 4:
    case 5:
      return Buffer.from(random.pick(NUMBERS));
    case 6:
      return Buffer.from(random.pick(LITERALS));
    case 7:
    case 8:
      return Buffer.from(String(random.int(-3, 11)));
    default:
      return Buffer.from(random.pick(TEXTS));
  }
}

function randomNumber(random: Random): string {
  const digits = () => String(random.int(0, 10 ** random.int(0, 15)));
  const sign = random.pick(['', '', '-', '+']);
  const point = random.chance(0.6) ? `.${random.chance(0.9) ? digits() + digits() : ''}` : '';
  const exponent = random.chance(0.3) ? `e${random.int(-340, 310)}` : '';
  if (random.chance(0.1)) return `${sign}0x${digits()}${point}p${random.int(-1100, 1030)}`;
  return `${sign}${digits()}${random.chance(0.3) ? digits() : ''}${point}${exponent}`;
}
