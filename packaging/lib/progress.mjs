/** A terminal shows each second; a log gets a line now and then, so that it is never silent for long. */
const LIVE_MS = 1000;
const LOGGED_MS = 15_000;

/**
 * `setup: <title> ... done (3.1 s)`, and while that takes long how far it is. `detail` may be set to a function that
 * says so.
 */
export class Progress {
  detail = () => '';
  #title;
  #stream;
  #start = performance.now();
  #timer;
  /** Whether the line that names the step is still the last one. */
  #open = true;

  /** `everyMs` is for tests. */
  constructor(title, stream = process.stdout, everyMs = stream.isTTY ? LIVE_MS : LOGGED_MS) {
    this.#title = title;
    this.#stream = stream;
    stream.write(`setup: ${title} ... `);
    this.#timer = setInterval(() => this.#tell(), everyMs);
  }

  end(outcome) {
    clearInterval(this.#timer);
    const prefix = this.#stream.isTTY ? this.#rewound() : this.#open ? '' : `setup: ${this.#title} ... `;
    this.#stream.write(`${prefix}${outcome} (${this.#seconds(1)} s)\n`);
  }

  #tell() {
    const sofar = [`${this.#seconds(0)} s`, this.detail()].filter(Boolean).join(', ');
    if (this.#stream.isTTY) {
      this.#stream.write(`${this.#rewound()}${sofar}`);
    } else {
      this.#stream.write(`${this.#open ? '\n' : ''}setup: still ${this.#title}, ${sofar}\n`);
      this.#open = false;
    }
  }

  #rewound() {
    return `\r\x1b[Ksetup: ${this.#title} ... `;
  }

  #seconds(digits) {
    return ((performance.now() - this.#start) / 1000).toFixed(digits);
  }
}
