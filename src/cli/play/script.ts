/** The actions of play, their keys, and scripts of them: `send 10, wait 1s, kill, tear, restart, status, quit`. */
import { nearestName } from '../../lib/nearest.ts';
import { UserError } from '../../lib/user-error.ts';
import { spanOf } from '../admin/times.ts';
import { MORTAL_THREADS, type MortalThread } from './play-broker.ts';

type Plain = 'kill' | 'fill' | 'free' | 'restart' | 'status' | 'help' | 'quit';

export type Action =
  | { readonly name: 'send'; readonly count: number }
  | { readonly name: 'delay'; readonly seconds: number }
  | { readonly name: 'flow' | 'consume'; readonly isOn: boolean }
  | { readonly name: 'wait'; readonly ms: number }
  | { readonly name: 'kill-thread'; readonly thread: MortalThread }
  | { readonly name: 'tear'; readonly count: number }
  | { readonly name: 'flip'; readonly back: number }
  | { [K in Plain]: { readonly name: K } }[Plain];

export type ActionName = Action['name'];

interface Kind {
  /** What may follow the name. */
  readonly takes: string;
  readonly does: string;
  /** The action for the word behind the name; undefined when it is not possible. */
  readonly read: (word: string | undefined) => Action | undefined;
}

/** More would take minutes, and thousands of tiny files. */
const MAX_SENDS = 10_000;
const MAX_WAIT_MS = 600_000;
/** Delay levels 1 to 4 of RocketMQ, by their seconds. */
export const DELAYS: readonly number[] = [1, 5, 10, 30];
export const BURST = 100;

const plain = (name: Plain, does: string): Kind => ({
  takes: '',
  does,
  read: (word) => (word === undefined ? { name } : undefined),
});

const toggle = (name: 'flow' | 'consume', does: string): Kind => ({
  takes: 'on|off',
  does,
  read: (word) => (word === 'on' || word === 'off' ? { name, isOn: word === 'on' } : undefined),
});

export const ACTIONS: Readonly<Record<ActionName, Kind>> = {
  send: {
    takes: `[1 to ${MAX_SENDS}]`,
    does: 'send so many messages (1)',
    read: (word) => withCount(word, 1, 1, MAX_SENDS, (count) => ({ name: 'send', count })),
  },
  delay: {
    takes: `[${DELAYS.map((seconds) => `${seconds}s`).join('|')}]`,
    does: 'send a message that is delivered later (5s)',
    read: (word) => delayed(word ?? '5s'),
  },
  flow: toggle('flow', 'a steady flow of 20 messages a second'),
  consume: toggle('consume', 'a consumer of both queues'),
  wait: { takes: '<span>', does: 'wait: 500ms, 2s', read: waiting },
  'kill-thread': {
    takes: MORTAL_THREADS.join('|'),
    does: 'end one thread where it stands',
    read: (word) => {
      const thread = MORTAL_THREADS.find((name) => name === word);
      return thread === undefined ? undefined : { name: 'kill-thread', thread };
    },
  },
  kill: plain('kill', 'kill -9 of the process'),
  tear: {
    takes: '[records]',
    does: 'of a dead broker: the last records of the log never reached the disk (1)',
    read: (word) => withCount(word, 1, 1, MAX_SENDS, (count) => ({ name: 'tear', count })),
  },
  flip: {
    takes: '[records]',
    does: 'of a dead broker: a bit turns in the record before so many last ones (1)',
    read: (word) => withCount(word, 1, 0, MAX_SENDS, (back) => ({ name: 'flip', back })),
  },
  fill: plain('fill', 'fill the disk, and send until a message is refused'),
  free: plain('free', 'give the disk room again'),
  restart: plain('restart', 'start the broker again, after a clean stop if it runs'),
  status: plain('status', 'look once more'),
  help: plain('help', 'these lines'),
  quit: plain('quit', 'stop, and remove the temporary store'),
};

function withCount(
  word: string | undefined,
  otherwise: number,
  from: number,
  to: number,
  make: (count: number) => Action,
): Action | undefined {
  if (word === undefined) return make(otherwise);
  const count = /^\d{1,5}$/.test(word) ? Number(word) : Number.NaN;
  return count >= from && count <= to ? make(count) : undefined;
}

function delayed(word: string): Action | undefined {
  const seconds = DELAYS.find((one) => `${one}s` === word);
  return seconds === undefined ? undefined : { name: 'delay', seconds };
}

function waiting(word: string | undefined): Action | undefined {
  const ms = word === undefined ? undefined : spanOf(word);
  return ms === undefined || ms > MAX_WAIT_MS ? undefined : { name: 'wait', ms };
}

/** Actions are separated by commas, semicolons or ends of lines. Throws a UserError for the first that is none. */
export function parseScript(text: string): Action[] {
  return text
    .split(/[,;\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseAction);
}

function parseAction(text: string): Action {
  const [given = '', word, ...more] = text.split(/\s+/);
  const name = given.toLowerCase();
  if (!Object.hasOwn(ACTIONS, name)) {
    const near = nearestName(name, Object.keys(ACTIONS));
    const hint =
      near === undefined ? `there are ${Object.keys(ACTIONS).join(', ')}.` : `did you mean ${near}?`;
    throw new UserError(`There is no action ${given}: ${hint}`);
  }
  const { takes, read } = ACTIONS[name as ActionName];
  const action = more.length > 0 ? undefined : read(word?.toLowerCase());
  if (action !== undefined) return action;
  const form = takes === '' ? `${name} stands alone.` : `give ${name} ${takes}.`;
  throw new UserError(`${text} is not possible: ${form}`);
}

/** How an action is written in a script. */
export function actionText(action: Action): string {
  switch (action.name) {
    case 'send':
    case 'tear':
      return `${action.name} ${action.count}`;
    case 'flip':
      return `flip ${action.back}`;
    case 'delay':
      return `delay ${action.seconds}s`;
    case 'flow':
    case 'consume':
      return `${action.name} ${action.isOn ? 'on' : 'off'}`;
    case 'wait':
      return `wait ${action.ms / 1000}s`;
    case 'kill-thread':
      return `kill-thread ${action.thread}`;
    default:
      return action.name;
  }
}

export function helpLines(): string[] {
  const rows = Object.entries(ACTIONS).map(([name, { takes, does }]) => [`${name} ${takes}`.trim(), does]);
  const width = Math.max(...rows.map(([form = '']) => (form.length > 30 ? 0 : form.length)));
  return rows.map(([form = '', does = '']) =>
    form.length > width ? `${form}: ${does}` : `${form.padEnd(width)}  ${does}`,
  );
}
