/**
 * Texts by namespace and key, above all ORDER_TOPIC_CONFIG. With a path they are kept in RocketMQ's kvConfig.json:
 * `{"configTable":{"namespace":{"key":"value"}}}`.
 */
import { entriesOf, textMapIn } from '../control/json-fields.ts';
import { tableFull } from '../control/request-fields.ts';
import { StateFile, type Warn } from '../control/state-file.ts';
import { MAX_KV_CHARACTERS, MAX_KV_ENTRIES } from '../lib/limits.ts';
import { writeRocketJson } from '../protocol/rocketmq-json.ts';

/** Topics whose messages are ordered over brokers: topic to `brokerA:4;brokerB:4`. */
export const ORDER_TOPIC_NAMESPACE = 'ORDER_TOPIC_CONFIG';

export class KvConfig {
  readonly #file: StateFile | undefined;
  readonly #namespaces = new Map<string, Map<string, string>>();
  #entries = 0;
  /** Of all keys and values. */
  #characters = 0;

  /**
   * Without a path nothing outlives the process. Entries that are no texts are left out, and `warn` hears how many.
   * Throws a StateFileError for a file that cannot be read.
   */
  constructor(path?: string, warn: Warn = () => {}) {
    if (path === undefined) return;
    this.#file = new StateFile(path);
    const table = this.#file.table(this.#file.load(warn), 'configTable') ?? {};
    let dropped = 0;
    for (const [name, entries] of entriesOf(table)) {
      this.#load(name, textMapIn(table, name));
      dropped += entriesOf(entries).length - (this.#namespaces.get(name)?.size ?? 0);
    }
    if (dropped > 0) warn(`${path}: ${dropped} entries are no texts and were left out`);
  }

  #load(namespace: string, table: Map<string, string>): void {
    this.#namespaces.set(namespace, table);
    this.#entries += table.size;
    for (const [key, value] of table) this.#characters += key.length + value.length;
  }

  get(namespace: string, key: string): string | undefined {
    return this.#namespaces.get(namespace)?.get(key);
  }

  /** Undefined for a namespace that has never had a key. */
  list(namespace: string): Record<string, string> | undefined {
    const table = this.#namespaces.get(namespace);
    return table === undefined ? undefined : Object.fromEntries(table);
  }

  /**
   * Resolves when the change is on disk; rejects with the error of the write, or with a RequestError that names the
   * limit when there is no room.
   */
  async put(namespace: string, key: string, value: string): Promise<void> {
    const old = this.get(namespace, key);
    // Empty namespaces stay.
    const newNamespace = !this.#namespaces.has(namespace) && this.#namespaces.size >= MAX_KV_ENTRIES;
    if (newNamespace || (old === undefined && this.#entries >= MAX_KV_ENTRIES)) {
      throw tableFull('key-value entries', MAX_KV_ENTRIES, 'MAX_KV_ENTRIES');
    }
    const more = value.length - (old?.length ?? -key.length);
    if (this.#characters + more > MAX_KV_CHARACTERS) {
      throw tableFull('characters of key-value entries', MAX_KV_CHARACTERS, 'MAX_KV_CHARACTERS');
    }
    this.#entries += old === undefined ? 1 : 0;
    this.#characters += more;
    const table = this.#namespaces.get(namespace) ?? new Map<string, string>();
    this.#namespaces.set(namespace, table.set(key, value));
    await this.#save();
  }

  /** As put(); the namespace stays, if empty. */
  async delete(namespace: string, key: string): Promise<void> {
    const old = this.get(namespace, key);
    if (old === undefined) return;
    this.#entries -= 1;
    this.#characters -= key.length + old.length;
    this.#namespaces.get(namespace)?.delete(key);
    await this.#save();
  }

  async #save(): Promise<void> {
    this.#file?.save(() => writeRocketJson({ configTable: this.#namespaces }));
    await this.#file?.saved();
  }
}
