/** The keys of play: which action each stands for, in the state that the toggles are in. Pure. */
import { MORTAL_THREADS } from './play-broker.ts';
import { type Action, BURST } from './script.ts';
import type { Line, Span } from './spans.ts';
import type { PlayState } from './state.ts';

/** In the last line: what keys there are; of a word it is the first letter. */
const WORDS = 'send burst flow delay consume thread kill x:tear y:flip o:disk restart quit ?';
export const KEY_LINE: Line = WORDS.split(' ').flatMap((word): Span[] => [
  [word.slice(0, 1), 'title'],
  `${word.slice(1)} `,
]);
export const THREAD_LINE = `End which thread? ${MORTAL_THREADS.map((name, i) => `${i + 1} ${name}`).join('  ')}`;

const ESCAPE = '\u001b';

/** What was typed, key by key. Arrows and the like come as sequences, whose letters mean nothing here. */
export function keysOf(typed: string): string[] {
  const [first = '', ...sequences] = typed.split(ESCAPE);
  return [...first, ...sequences.flatMap((text) => [...text.replace(/^(?:\[[0-9;]*.?|O.?)/, '')])];
}

/** Also Ctrl-C and Ctrl-D, which a terminal whose keys are read one by one gives on. */
export function isQuit(key: string): boolean {
  return key === 'q' || key === '\u0003' || key === '\u0004';
}

/** What a key but those asks for; `thread`: which thread is to be named next. Undefined for one that means nothing. */
export function keyMeans(
  key: string,
  { traffic, process }: Pick<PlayState, 'traffic' | 'process'>,
): Exclude<Action, { name: 'quit' }> | 'thread' | undefined {
  const isFull = process.kind === 'running' && process.isFull;
  switch (key) {
    case 's':
      return { name: 'send', count: 1 };
    case 'b':
      return { name: 'send', count: BURST };
    case 'f':
      return { name: 'flow', isOn: !traffic.flow };
    case 'd':
      return { name: 'delay', seconds: 5 };
    case 'c':
      return { name: 'consume', isOn: !traffic.consuming };
    case 't':
      return 'thread';
    case 'k':
      return { name: 'kill' };
    case 'x':
      return { name: 'tear', count: 1 };
    case 'y':
      return { name: 'flip', back: 1 };
    case 'o':
      return { name: isFull ? 'free' : 'fill' };
    case 'r':
      return { name: 'restart' };
    case '?':
    case 'h':
      return { name: 'help' };
    default:
      return undefined;
  }
}

/** The key behind `t`. */
export function threadKey(key: string): Exclude<Action, { name: 'quit' }> | undefined {
  const thread = MORTAL_THREADS[Number(key) - 1];
  return thread === undefined ? undefined : { name: 'kill-thread', thread };
}

export const KEY_HELP: readonly string[] = [
  `s  send one message     b  a burst of ${BURST}         f  a steady flow, on and off`,
  'd  one for in 5 s       c  consume, on and off   t  end a thread, by its number',
  'k  kill -9              o  fill the disk, and free it again',
  'x  tear the last record of a dead broker    y  turn a bit in the one before it',
  'r  restart: after a kill it recovers        q  quit',
];
