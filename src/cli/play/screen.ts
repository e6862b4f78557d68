/**
 * A terminal that is taken for a while: its other screen, without cursor, keys as they are pressed. It is given back as
 * it was however the process ends, but for kill -9.
 */
import type { ReadStream, WriteStream } from 'node:tty';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';

export class Screen {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #leave = () => this.leave();
  #isTaken = false;

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  /** `key` gets what is pressed, `resized` is called when the terminal has another size. */
  enter(key: (text: string) => void, resized: () => void): void {
    this.#isTaken = true;
    // That comes also after an error that nobody has caught.
    process.once('exit', this.#leave);
    this.#output.write(ENTER);
    this.#input.setRawMode(true);
    this.#input.setEncoding('utf8');
    this.#input.on('data', key);
    this.#input.resume();
    this.#output.on('resize', resized);
  }

  get columns(): number {
    return this.#output.columns || 80;
  }

  get rows(): number {
    return this.#output.rows || 24;
  }

  /** In place of what is there, line by line, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    if (!this.#isTaken) return;
    const shown = lines.slice(0, this.rows).map((line) => `${line}${REST_OF_LINE}`);
    this.#output.write(`${HOME}${shown.join('\r\n')}${REST_OF_SCREEN}`);
  }

  leave(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    process.off('exit', this.#leave);
    this.#output.removeAllListeners('resize');
    this.#input.removeAllListeners('data');
    try {
      this.#input.setRawMode(false);
      this.#input.pause();
      this.#output.write(LEAVE);
    } catch {
      // The terminal has gone.
    }
  }
}
