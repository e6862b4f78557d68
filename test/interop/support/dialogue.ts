// Question and answer with a program that reads commands from stdin (Query, Admin).

import type { Program, ProgramEvent } from './program.ts';

const START_TIMEOUT = 30_000;
const ANSWER_TIMEOUT = 30_000;

export interface Refusal {
  readonly type: string;
  readonly code: number;
  readonly message: string;
}

export class Dialogue {
  readonly #program: Program;
  readonly #patience: number;
  #answers = 0;

  /** `patience`: for how many ms to wait for an answer. */
  constructor(program: Program, patience = ANSWER_TIMEOUT) {
    this.#program = program;
    this.#patience = patience;
  }

  async ask(question: string): Promise<unknown> {
    const reply = await this.#reply(question);
    if (reply.event === 'refused') throw new Error(`${question}: ${JSON.stringify(reply['error'])}`);
    return reply.event === 'printed' ? reply['text'] : reply['result'];
  }

  async refused(question: string): Promise<Refusal> {
    const reply = await this.#reply(question);
    if (reply.event !== 'refused') throw new Error(`${question} was answered: ${JSON.stringify(reply)}`);
    return reply['error'] as Refusal;
  }

  /** For questions that may be refused. */
  async either(question: string): Promise<{ readonly result?: unknown; readonly refused?: Refusal }> {
    const reply = await this.#reply(question);
    return reply.event === 'refused' ? { refused: reply['error'] as Refusal } : { result: reply['result'] };
  }

  async end(): Promise<void> {
    const code = await this.#program.stop();
    if (code !== 0) throw new Error(`${this.#program.name} ended with ${code}\n${this.#program.tail()}`);
  }

  async #reply(question: string): Promise<ProgramEvent> {
    await this.#program.waitForEvent('ready', START_TIMEOUT);
    const index = this.#answers++;
    this.#program.send(question);
    const look = (): ProgramEvent | undefined =>
      this.#program.events.filter((event) => ['answer', 'refused', 'printed'].includes(event.event))[index];
    return this.#program.waitFor(`the answer to "${question}"`, look, this.#patience);
  }
}
