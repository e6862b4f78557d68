// Asks RocketMQ's own SQL92 filter and ours about the same cases, and makes the first disagreement small.

import { spawnSync } from 'node:child_process';
import { FAILED, FALSE, NULL, TRUE } from '../../../src/filter/outcome.ts';
import { SqlError } from '../../../src/filter/sql-error.ts';
import { compileSql, type SqlFilter } from '../../../src/filter/sql-filter.ts';
import { quote } from '../../../src/lib/quote.ts';
import { filterClassPath, java } from './jvm.ts';
import { type SqlCase, textOf } from './sql-cases.ts';

const TIMEOUT = 120_000;
const MAX_ANSWER = 64 * 1024 * 1024;
/** Characters of an expression or message that a failure shows. */
const SHOWN = 500;
const LETTERS = { [TRUE]: 'T', [FALSE]: 'F', [NULL]: 'N', [FAILED]: 'X' };

/** A letter for each message of each case (SqlOracle.java says which). */
export function askRocketmq(cases: readonly SqlCase[]): string {
  const parts = [int32(cases.length)];
  for (const one of cases) {
    const text = Buffer.from(textOf(one), 'utf16le').swap16();
    parts.push(int32(text.length), text, int32(one.messages.length));
    for (const message of one.messages) {
      const bytes = Buffer.concat(message);
      parts.push(int32(bytes.length), bytes);
    }
  }
  const result = spawnSync(java(), ['-cp', filterClassPath(), 'interop.SqlOracle'], {
    input: Buffer.concat(parts),
    maxBuffer: MAX_ANSWER,
    timeout: TIMEOUT,
  });
  if (result.status !== 0) throw new Error(`SqlOracle ended with ${result.status}: ${result.stderr}`);
  return result.stdout.toString('latin1');
}

export function askOurs(cases: readonly SqlCase[]): string {
  return cases.map(lettersOf).join('');
}

function lettersOf(one: SqlCase): string {
  const filter = compile(textOf(one));
  if (filter === undefined) return 'R'.repeat(one.messages.length);
  return one.messages.map((message) => letterOf(filter, Buffer.concat(message))).join('');
}

function compile(text: string): SqlFilter | undefined {
  try {
    return compileSql(text);
  } catch (error) {
    if (error instanceof SqlError) return undefined;
    throw error;
  }
}

/** The properties lie somewhere within a record. */
function letterOf(filter: SqlFilter, properties: Uint8Array): string {
  const record = new Uint8Array(properties.length + 9).fill(0x61);
  record.set(properties, 5);
  return LETTERS[filter.evaluate(record, 5, 5 + properties.length)];
}

export type Ask = (cases: readonly SqlCase[]) => string;

/** The first case on which they disagree, made as small as removing parts makes it; undefined = none. */
export function disagreement(cases: readonly SqlCase[], theirs: string, ours: Ask): SqlCase | undefined {
  const answers = ours(cases);
  if (answers === theirs) return undefined;
  let at = 0;
  for (const one of cases) {
    for (const message of one.messages) {
      if (theirs[at] !== answers[at]) return shrink({ ...one, messages: [message] }, ours);
      at++;
    }
  }
  throw new Error(`${answers.length} answers of ours, ${theirs.length} of RocketMQ`);
}

function shrink(found: SqlCase, ours: Ask): SqlCase {
  const candidates = smaller(found);
  const theirs = askRocketmq(candidates);
  const answers = ours(candidates);
  const next = candidates.find((_, i) => theirs[i] !== answers[i]);
  return next === undefined ? found : shrink(next, ours);
}

/** With fewer pieces of the expression or entries of the message, the smallest first. */
function smaller({ pieces, messages }: SqlCase): SqlCase[] {
  const [message = []] = messages;
  const found: SqlCase[] = [];
  for (let length = pieces.length - 1; length > 0; length--) {
    for (let at = 0; at + length <= pieces.length; at++) {
      found.push({ pieces: pieces.toSpliced(at, length), messages });
    }
  }
  for (const at of message.keys()) found.push({ pieces, messages: [message.toSpliced(at, 1)] });
  return found;
}

/** For a failure's message. */
export function explain(one: SqlCase): string {
  const properties = Buffer.concat(one.messages[0] ?? []);
  return (
    `RocketMQ says ${askRocketmq([one])}, RingMQ says ${askOurs([one])}\n` +
    `  expression ${quote(JSON.stringify(textOf(one)), SHOWN)}\n  properties ${quote(JSON.stringify(properties.toString()), SHOWN)}\n` +
    `  in bytes   ${quote(properties.toString('hex'), SHOWN)}`
  );
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
