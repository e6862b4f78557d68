/**
 * The version that RocketMQ keeps beside each configuration table. Name servers, slaves and tools compare it to see
 * whether they have to fetch the table again. In JSON: `{"counter":n,"stateVersion":n,"timestamp":ms}`.
 */
import type { Clock } from '../lib/clock.ts';
import { asObject, integerOr } from '../protocol/json-fields.ts';
import { parseRocketJson, REQUEST_JSON, type RocketJson } from '../protocol/rocketmq-json.ts';

export interface DataVersionJson {
  counter: number;
  stateVersion: number;
  timestamp: number;
}

export class DataVersion {
  readonly #clock: Clock;
  #counter = 0;
  #stateVersion = 0;
  #timestamp: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timestamp = clock.now();
  }

  /** To be called once per change of the table. */
  next(): void {
    this.#counter += 1;
    this.#timestamp = this.#clock.now();
  }

  /** Takes over a stored version; anything else than an object leaves this one as it is. */
  assign(value: RocketJson | undefined): void {
    const stored = asObject(value);
    if (stored === undefined) return;
    this.#counter = integerOr(stored, 'counter', 0);
    this.#stateVersion = integerOr(stored, 'stateVersion', 0);
    this.#timestamp = integerOr(stored, 'timestamp', this.#timestamp);
  }

  /** Whether the JSON text that a caller sent along is this version; absent and blank text is not. */
  isText(text: string | undefined): boolean {
    return text !== undefined && text.trim() !== '' && this.equals(parseRocketJson(text, REQUEST_JSON));
  }

  equals(value: RocketJson | undefined): boolean {
    const other = asObject(value);
    if (other === undefined) return false;
    return (
      integerOr(other, 'counter', -1) === this.#counter &&
      integerOr(other, 'stateVersion', -1) === this.#stateVersion &&
      integerOr(other, 'timestamp', -1) === this.#timestamp
    );
  }

  toJSON(): DataVersionJson {
    return { counter: this.#counter, stateVersion: this.#stateVersion, timestamp: this.#timestamp };
  }
}
