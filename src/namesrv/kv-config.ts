/**
 * Texts by namespace and key, above all ORDER_TOPIC_CONFIG. With a path they are kept in RocketMQ's kvConfig.json:
 * `{"configTable":{"namespace":{"key":"value"}}}`.
 */
import { asObject, entriesOf, textMapIn } from '../control/json-fields.ts';
import { StateFile } from '../control/state-file.ts';
import { writeRocketJson } from '../protocol/rocketmq-json.ts';

/** Topics whose messages are ordered over brokers: topic to `brokerA:4;brokerB:4`. */
export const ORDER_TOPIC_NAMESPACE = 'ORDER_TOPIC_CONFIG';

export class KvConfig {
  readonly #file: StateFile | undefined;
  readonly #namespaces = new Map<string, Map<string, string>>();

  /** Without a path nothing outlives the process. Throws a StateFileError for a file that cannot be read. */
  constructor(path?: string) {
    if (path === undefined) return;
    this.#file = new StateFile(path);
    const stored = asObject(this.#file.load()) ?? {};
    const table = asObject(stored['configTable']) ?? {};
    for (const [name] of entriesOf(table)) this.#namespaces.set(name, textMapIn(table, name));
  }

  get(namespace: string, key: string): string | undefined {
    return this.#namespaces.get(namespace)?.get(key);
  }

  /** Undefined for a namespace that has never had a key. */
  list(namespace: string): Record<string, string> | undefined {
    const table = this.#namespaces.get(namespace);
    return table === undefined ? undefined : Object.fromEntries(table);
  }

  /** Resolves when the change is on disk; rejects with the error of the write. */
  async put(namespace: string, key: string, value: string): Promise<void> {
    const table = this.#namespaces.get(namespace) ?? new Map<string, string>();
    this.#namespaces.set(namespace, table.set(key, value));
    await this.#save();
  }

  /** As put(); the namespace stays, if empty. */
  async delete(namespace: string, key: string): Promise<void> {
    if (this.#namespaces.get(namespace)?.delete(key) === true) await this.#save();
  }

  async #save(): Promise<void> {
    this.#file?.save(() => writeRocketJson({ configTable: this.#namespaces }));
    await this.#file?.saved();
  }
}
