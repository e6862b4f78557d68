/** The running broker's configuration as requests 25 and 26 see it. */
import type { BrokerProperties } from '../broker/context.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { Listeners } from '../lib/listeners.ts';
import { quote } from '../lib/quote.ts';
import { UserError } from '../lib/user-error.ts';
import { DataVersion, type DataVersionJson } from '../metadata/data-version.ts';
import { brokerKeys } from './broker-keys.ts';
import { type BrokerValues, type Key, parseValue, readValue, type Value, writeValue } from './key.ts';
import { placeWarnings, todaysName } from './older-names.ts';
import { changeProperties } from './properties-file.ts';
import { nearestKey } from './unsupported.ts';
import { brokerVocabulary, unsupportedBrokerKey } from './vocabularies.ts';

export class LiveProperties implements BrokerProperties {
  readonly #values: BrokerValues;
  readonly #file: string | undefined;
  readonly #version: DataVersion;
  readonly changed = new Listeners<void>();

  /** Changes go into `values` and, when there is one, into the configuration file. */
  constructor(values: BrokerValues, file: string | undefined, clock: Clock = systemClock) {
    this.#values = values;
    this.#file = file;
    this.#version = new DataVersion(clock);
  }

  get version(): DataVersionJson {
    return this.#version.toJSON();
  }

  *all(): Iterable<readonly [string, string]> {
    for (const key of brokerKeys.values()) {
      if (key.secret !== true) yield [key.name, String(readValue(this.#values, key))];
    }
  }

  /** All of the changes or none. */
  update(changes: ReadonlyMap<string, string>): void {
    const accepted: [Key, Value][] = [];
    for (const [name, text] of changes) {
      const key = this.#changeable(name, text);
      if (key !== undefined) accepted.push([key, parseValue(key, text)]);
    }
    if (accepted.length === 0) return;
    const texts = new Map(accepted.map(([key, value]) => [key.name, String(value)]));
    if (this.#file !== undefined) changeProperties(this.#file, texts);
    for (const [key, value] of accepted) writeValue(this.#values, key, value);
    this.#version.next();
    this.changed.emit();
  }

  /** Undefined when the key has this value already: tools send back what they have read. */
  #changeable(name: string, text: string): Key | undefined {
    const key = brokerKeys.get(name);
    if (key === undefined) throw new UserError(`${this.#unknown(name, text)} Nothing was changed.`);
    // Whether a secret was guessed right is no answer either.
    if (key.secret !== true && String(readValue(this.#values, key)) === text.trim()) return undefined;
    if (key.changeable) return key;
    throw new UserError(
      `${name} takes effect only at start: set it in broker.conf and start again. Nothing was changed.`,
    );
  }

  /** Why a key that RingMQ does not obey cannot be set. */
  #unknown(name: string, text: string): string {
    const known = unsupportedBrokerKey(name);
    if (known !== undefined) return `${name} cannot be set: ${known.why}.`;
    const today = todaysName(name);
    if (today !== undefined) return `${name} is called ${today} since RocketMQ 4.5.`;
    if (placeWarnings(name, text, this.#values.store.directory) !== undefined) {
      return `${name} cannot be set: it follows from storePathRootDir.`;
    }
    const nearest = nearestKey(name, brokerVocabulary(this.#values));
    return `There is no property ${quote(name)}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`;
  }
}
