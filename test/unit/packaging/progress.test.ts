// What a long step of the set-up shows while it lasts.

import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packagingModule } from '../../support/packaging.ts';

interface Progress {
  detail: () => string;
  end(outcome: string): void;
}

interface ProgressModule {
  Progress: new (title: string, stream: Writable, everyMs?: number) => Progress;
}

const { Progress } = await packagingModule<ProgressModule>('packaging/lib/progress.mjs');

const test = suite('progress of the set-up');

class Screen extends Writable {
  readonly isTTY: boolean;
  text = '';
  #wake: () => void = () => {};

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    this.#wake();
    done();
  }

  async shows(count: number, pattern: RegExp): Promise<void> {
    while ([...this.text.matchAll(pattern)].length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

test('a short step is one line', () => {
  const screen = new Screen(false);
  new Progress('bundling', screen).end('done');
  assert.match(screen.text, /^setup: bundling \.\.\. done \(\d+\.\d s\)\n$/);
});

test('a log gets whole lines now and then', async () => {
  const screen = new Screen(false);
  const progress = new Progress('building', screen, 1);
  progress.detail = () => '3 of 22 files compiled';
  await screen.shows(2, /\n/g);
  progress.end('done');
  const [first, second, ...rest] = screen.text.trimEnd().split('\n');
  assert.is(first, 'setup: building ... ');
  assert.match(second ?? '', /^setup: still building, \d+ s, 3 of 22 files compiled$/);
  assert.match(rest.at(-1) ?? '', /^setup: building \.\.\. done \(\d+\.\d s\)$/);
});

test('a terminal shows it in the line of the step', async () => {
  const screen = new Screen(true);
  const progress = new Progress('building', screen, 1);
  progress.detail = () => '3 of 22 files compiled';
  await screen.shows(2, /\r/g);
  progress.end('done');
  assert.is(screen.text.split('\n').length, 2, 'one line');
  const drawn = screen.text.split('\r\x1b[K');
  assert.match(drawn[1] ?? '', /^setup: building \.\.\. \d+ s, 3 of 22 files compiled$/);
  assert.match(drawn.at(-1) ?? '', /^setup: building \.\.\. done \(\d+\.\d s\)\n$/);
});

test.run();
