// RocketMQ's own tools in one process: a line with tabs between the words is one run of mqadmin.

import { java55 } from './clients.ts';
import { Dialogue } from './dialogue.ts';

export class MqAdmin {
  readonly #dialogue: Dialogue;
  readonly #nameServer: string;

  constructor(nameServer: string) {
    this.#dialogue = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer }));
    this.#nameServer = nameServer;
  }

  /** What the command prints. */
  async run(...words: string[]): Promise<string> {
    const line = [words[0], '-n', this.#nameServer, ...words.slice(1)].join('\t');
    return String(await this.#dialogue.ask(line));
  }

  async end(): Promise<void> {
    await this.#dialogue.end();
  }
}
