/**
 * RocketMQ's SQL92 grammar by recursive descent, loosest operator first:
 *
 *   or         = and { OR and }
 *   and        = equality { AND equality }
 *   equality   = comparison { (= | <>) comparison | IS [NOT] NULL }
 *   comparison = unary { (> | >= | < | <=) unary | [NOT] BETWEEN unary AND unary | [NOT] IN ( string {, string} )
 *                        | [NOT] (CONTAINS | STARTSWITH | ENDSWITH) string }
 *   unary      = (+ | - | NOT) unary | property | number | string | TRUE | FALSE | NULL | ( or )
 *
 * So NOT and the signs bind tighter than any comparison. What follows a complete expression is ignored.
 */
import { limitRemark, MAX_EXPRESSION, MAX_SQL_ELEMENTS } from '../lib/limits.ts';
import { Checks } from './checks.ts';
import { ABOVE, BELOW, type Condition, type Expression, SAME, type SearchWay } from './expression.ts';
import { SqlError } from './sql-error.ts';
import { DOUBLE, describe, INTEGER, STRING, type Token, Tokenizer, WORD } from './tokenizer.ts';

export interface Parsed {
  readonly condition: Condition;
  readonly properties: ReadonlySet<string>;
  /** Where the part of the text begins that is ignored. */
  readonly ignoredFrom: number;
}

export function parseSql(sql: string): Parsed {
  return new Parser(sql).parse();
}

const ORDERS = new Map([
  ['>', ABOVE],
  ['>=', ABOVE | SAME],
  ['<', BELOW],
  ['<=', BELOW | SAME],
]);

class Parser {
  readonly #sql: string;
  readonly #tokens: Tokenizer;
  readonly #checks: Checks;
  readonly #properties = new Set<string>();
  /** The next one. */
  #token: Token;
  /** Parentheses, signs and NOTs around it. */
  #depth = 0;

  constructor(sql: string) {
    if (sql.length > MAX_EXPRESSION) {
      const what = 'characters in a subscription expression';
      throw new SqlError(sql, MAX_EXPRESSION, limitRemark(what, MAX_EXPRESSION, 'MAX_EXPRESSION'));
    }
    this.#sql = sql;
    this.#tokens = new Tokenizer(sql);
    this.#checks = new Checks(sql);
    this.#token = this.#tokens.next();
  }

  parse(): Parsed {
    const condition = this.#checks.condition(this.#or());
    return { condition, properties: this.#properties, ignoredFrom: this.#token.at };
  }

  #or(): Expression {
    const operands = [this.#and()];
    while (this.#takes('OR')) operands.push(this.#and());
    return this.#checks.chain('or', operands);
  }

  #and(): Expression {
    const operands = [this.#equality()];
    while (this.#takes('AND')) operands.push(this.#equality());
    return this.#checks.chain('and', operands);
  }

  #equality(): Expression {
    const checks = this.#checks;
    let left = this.#comparison();
    for (;;) {
      if (this.#takes('=')) left = checks.equal(left, this.#comparison());
      else if (this.#takes('<>')) left = checks.notEqual(left, this.#comparison());
      else if (this.#takes('IS')) {
        const negated = this.#takes('NOT');
        this.#expect('NULL', negated ? 'NULL' : 'NULL or NOT NULL');
        const isNull = checks.isNull(left);
        left = negated ? checks.not(left.at, isNull) : isNull;
      } else return left;
    }
  }

  #comparison(): Expression {
    let left = this.#unary();
    for (;;) {
      const wanted = ORDERS.get(this.#token.kind);
      if (wanted !== undefined) {
        this.#advance();
        left = this.#checks.order(left, this.#unary(), wanted);
        continue;
      }
      const negated = this.#takes('NOT');
      const next = this.#negatable(left, negated);
      if (next !== undefined) left = next;
      else if (negated) throw this.#unexpected('BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH');
      else return left;
    }
  }

  /** What may have a NOT in front of it. */
  #negatable(left: Expression, negated: boolean): Expression | undefined {
    const { kind } = this.#token;
    switch (kind) {
      case 'BETWEEN': {
        this.#advance();
        const low = this.#unary();
        this.#expect('AND', 'AND');
        const high = this.#unary();
        return negated ? this.#checks.notBetween(left, low, high) : this.#checks.between(left, low, high);
      }
      case 'IN':
        this.#advance();
        return this.#checks.in(left, this.#elements(), negated);
      case 'CONTAINS':
      case 'STARTSWITH':
      case 'ENDSWITH':
        this.#advance();
        return this.#checks.search(left, kind as SearchWay, this.#string(), negated);
      default:
        return undefined;
    }
  }

  #elements(): string[] {
    this.#expect('(', '"("');
    const elements: string[] = [];
    do {
      if (elements.length === MAX_SQL_ELEMENTS) {
        const remark = limitRemark('strings in a list', MAX_SQL_ELEMENTS, 'MAX_SQL_ELEMENTS');
        throw new SqlError(this.#sql, this.#token.at, remark);
      }
      elements.push(this.#string());
    } while (this.#takes(','));
    this.#expect(')', '"," or ")"');
    return elements;
  }

  #unary(): Expression {
    const { at, kind } = this.#token;
    switch (kind) {
      case '+':
        return this.#deeper(() => this.#unary());
      case '-':
        return this.#checks.negate(
          at,
          this.#deeper(() => this.#unary()),
        );
      case 'NOT':
        return this.#checks.not(
          at,
          this.#deeper(() => this.#unary()),
        );
      case '(': {
        const inner = this.#deeper(() => this.#or());
        this.#expect(')', 'an operator or ")"');
        return inner;
      }
      default:
        return this.#operand();
    }
  }

  /** Goes on behind the next token, one level deeper. */
  #deeper(parse: () => Expression): Expression {
    this.#depth += 1;
    this.#checks.checkDepth(this.#depth, this.#token.at);
    this.#advance();
    const part = parse();
    this.#depth -= 1;
    return part;
  }

  #operand(): Expression {
    const token = this.#token;
    const { at, kind } = token;
    switch (kind) {
      case STRING:
        return this.#checks.constant(at, this.#string());
      case INTEGER:
      case DOUBLE:
        this.#advance();
        return this.#checks.number(token);
      case 'TRUE':
      case 'FALSE':
        this.#advance();
        return this.#checks.constant(at, kind === 'TRUE');
      case 'NULL':
        this.#advance();
        return this.#checks.constant(at, null);
      case WORD:
        this.#properties.add(token.text);
        this.#advance();
        return { kind: 'property', at, depth: 0, name: token.text };
      default:
        throw this.#unexpected('a property, a string, a number, TRUE, FALSE, NULL, NOT, "+", "-" or "("');
    }
  }

  #string(): string {
    return this.#expect(STRING, STRING).text.slice(1, -1).replaceAll("''", "'");
  }

  #takes(kind: string): boolean {
    if (this.#token.kind !== kind) return false;
    this.#advance();
    return true;
  }

  #expect(kind: string, expected: string): Token {
    const token = this.#token;
    if (token.kind !== kind) throw this.#unexpected(expected);
    this.#advance();
    return token;
  }

  #advance(): void {
    this.#token = this.#tokens.next();
  }

  #unexpected(expected: string): SqlError {
    return new SqlError(
      this.#sql,
      this.#token.at,
      `found ${describe(this.#token)} where ${expected} is expected`,
    );
  }
}
