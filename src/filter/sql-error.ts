/** Why an SQL filter is refused, and where in its text. The only error that this folder throws. */

export class SqlError extends Error {
  override name = 'SqlError';
  /** Of the offending position: characters before it, and as people count. */
  readonly offset: number;
  readonly line: number;
  readonly column: number;

  /** `what` goes on the sentence "the SQL filter is wrong at line 1, column 1: ". */
  constructor(sql: string, offset: number, what: string) {
    const { line, column } = placeOf(sql, offset);
    super(`the SQL filter is wrong at line ${line}, column ${column}: ${what}`);
    this.offset = offset;
    this.line = line;
    this.column = column;
  }
}

/** Both from 1 on; a column is a code point. */
function placeOf(sql: string, offset: number): { line: number; column: number } {
  const lines = sql.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: [...(lines.at(-1) as string)].length + 1 };
}
