/** Play in a terminal: the picture four times a second, a key for each action, one action at a time. */
import { systemClock } from '../../lib/clock.ts';
import { Failure } from '../admin/failure.ts';
import { print } from '../admin/output.ts';
import { ExitCode } from '../exit-codes.ts';
import { firstSignal } from '../stop-signals.ts';
import { isQuit, KEY_HELP, KEY_LINE, keyMeans, keysOf, THREAD_LINE, threadKey } from './keys.ts';
import type { Glyphs } from './panels.ts';
import { picture } from './picture.ts';
import type { PlayStore } from './play-store.ts';
import { Sandbox } from './sandbox.ts';
import { Screen } from './screen.ts';
import { actionText } from './script.ts';
import type { Line } from './spans.ts';
import type { PlayState } from './state.ts';

const LOOK_MS = 250;
/** Keys that are typed ahead while something is under way; more are not heard. */
const MAX_AHEAD = 8;

/** Resolves with the exit code. */
export function playInTerminal(store: PlayStore, glyphs: Glyphs): Promise<number> {
  return new TerminalPlay(store, glyphs).run();
}

class TerminalPlay {
  readonly #screen = new Screen(process.stdin, process.stdout);
  readonly #sandbox: Sandbox;
  readonly #glyphs: Glyphs;
  readonly #colours = (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  readonly #quit: Promise<void>;
  #doQuit: () => void = () => {};
  #state: PlayState | undefined;
  #isLooking = false;
  #isOver = false;
  /** A fault of ours: told when the terminal is as it was. */
  #fault: unknown;
  /** What is to be done, one after the other. */
  readonly #tasks: (() => Promise<void>)[] = [];
  #isWorking = false;
  /** What is being done. */
  #underWay: string | undefined;
  #asksThread = false;

  constructor(store: PlayStore, glyphs: Glyphs) {
    this.#glyphs = glyphs;
    this.#sandbox = new Sandbox(store, () => this.#draw());
    this.#quit = new Promise((resolve) => {
      this.#doQuit = resolve;
    });
  }

  async run(): Promise<number> {
    // A terminal that is closed, or a reader that has gone, ends it as SIGHUP does.
    process.stdout.on('error', () => this.#doQuit());
    const signalled = firstSignal(process, systemClock.monotonic, () => process.exit(ExitCode.FAILED));
    this.#screen.enter(
      (keys) => this.#keys(keys),
      () => this.#draw(),
    );
    const looking = setInterval(() => void this.#look(), LOOK_MS);
    let last: string[] = [];
    try {
      this.#later(() => this.#do('start', () => this.#sandbox.open()));
      await Promise.race([this.#quit, signalled]);
      this.#sandbox.tell('quit: the broker is stopped');
    } finally {
      this.#isOver = true;
      clearInterval(looking);
      try {
        last = await this.#sandbox.close();
      } finally {
        this.#screen.leave();
      }
    }
    if (this.#fault !== undefined) throw this.#fault;
    for (const line of last) await print(line);
    return ExitCode.DONE;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      this.#state = await this.#sandbox.look();
      this.#draw();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isLooking = false;
    }
  }

  #fail(error: unknown): void {
    this.#fault ??= error;
    this.#doQuit();
  }

  #draw(): void {
    if (this.#state === undefined) return;
    const { columns, rows } = this.#screen;
    const frame = { columns, rows, colours: this.#colours, glyphs: this.#glyphs, footer: this.#footer() };
    this.#screen.draw(picture(this.#state, frame));
  }

  #footer(): Line {
    if (this.#asksThread) return [THREAD_LINE];
    return this.#underWay === undefined ? KEY_LINE : [`${this.#underWay} is under way ...   q quit`];
  }

  /** Several may come at once, when somebody types fast or pastes. To quit waits for nothing. */
  #keys(typed: string): void {
    for (const key of keysOf(typed)) {
      if (isQuit(key)) this.#doQuit();
      else if (this.#tasks.length < MAX_AHEAD) this.#later(() => this.#key(key));
    }
  }

  #later(task: () => Promise<void>): void {
    this.#tasks.push(task);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      for (let task = this.#tasks.shift(); task !== undefined && !this.#isOver; task = this.#tasks.shift())
        await task();
    } catch (error) {
      this.#fail(error);
    }
    this.#isWorking = false;
  }

  /** What it means depends on what was done before. */
  async #key(key: string): Promise<void> {
    this.#state = await this.#sandbox.look();
    const wasAsked = this.#asksThread;
    this.#asksThread = false;
    const meant = (wasAsked ? threadKey(key) : undefined) ?? keyMeans(key, this.#state);
    if (meant === 'thread') this.#asksThread = true;
    else if (meant?.name === 'help') for (const line of KEY_HELP) this.#sandbox.tell(line);
    else if (meant !== undefined) await this.#do(actionText(meant), () => this.#sandbox.perform(meant));
    this.#draw();
  }

  async #do(what: string, work: () => Promise<string[]>): Promise<void> {
    this.#underWay = what;
    this.#sandbox.tell(`> ${what}`);
    try {
      for (const line of await work()) this.#sandbox.tell(line);
    } catch (error) {
      if (error instanceof Failure || this.#isOver)
        this.#sandbox.tell(`That was not possible: ${(error as Error).message}`);
      else this.#fail(error);
    } finally {
      this.#underWay = undefined;
      await this.#look();
    }
  }
}
