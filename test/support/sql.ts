/** SQL filters asked about messages that are given as objects or as the text of their properties. */
import * as assert from 'uvu/assert';
import { FAILED, FALSE, NULL, TRUE } from '../../src/filter/outcome.ts';
import { SqlError } from '../../src/filter/sql-error.ts';
import { compileSql } from '../../src/filter/sql-filter.ts';
import { encodeProperties } from '../../src/record/properties.ts';

const NAMES = { [TRUE]: 'true', [FALSE]: 'false', [NULL]: 'null', [FAILED]: 'failed' };

export function outcomeOf(sql: string, properties: Record<string, string> | Uint8Array): string {
  const bytes =
    properties instanceof Uint8Array ? properties : Buffer.from(encodeProperties(Object.entries(properties)));
  // In the middle of a record, whose other bytes look like properties too.
  const before = Buffer.from('a\x01before\x02');
  const record = Buffer.concat([before, bytes, Buffer.from('a\x01behind\x02')]);
  return NAMES[compileSql(sql).evaluate(record, before.length, before.length + bytes.length)];
}

/** Every row: expression, properties, what comes of it. */
export function check(rows: readonly (readonly [string, Record<string, string>, string])[]): void {
  for (const [sql, properties, expected] of rows) {
    assert.is(outcomeOf(sql, properties), expected, `${sql} over ${JSON.stringify(properties)}`);
  }
}

export function refusal(sql: string): SqlError {
  try {
    compileSql(sql);
  } catch (error) {
    assert.instance(error, SqlError);
    return error as SqlError;
  }
  throw new Error(`not refused: ${sql}`);
}
