/** The second thread of the lab "false-sharing": counts, or takes what the first one puts, as it is told. */
import { workerData } from 'node:worker_threads';
import {
  ANSWER,
  COUNT_ATOMIC,
  COUNT_PLAIN,
  DISTANCE,
  END,
  type HammerData,
  ITEMS,
  ORDER,
  REST,
  TAKE,
  takeItems,
} from './hammer-data.ts';

/** Between two looks at the order. */
const STEPS = 1000;

const data = workerData as HammerData;
const orders = new Int32Array(data.orders);
const words = new Int32Array(data.words);
const slots = new Int32Array(data.slots);

function countAtomic(at: number): void {
  for (let i = 0; i < STEPS; i++) Atomics.store(words, at, Atomics.load(words, at) + 1);
}

function countPlain(at: number): void {
  for (let i = 0; i < STEPS; i++) words[at] = ((words[at] as number) + 1) | 0;
}

/** Until another order comes. */
function obey(order: number, distance: number): void {
  if (order === TAKE) {
    takeItems(words, slots, distance, Atomics.load(orders, ITEMS));
    Atomics.store(orders, ORDER, REST);
    return;
  }
  const count = order === COUNT_PLAIN ? countPlain : countAtomic;
  while (Atomics.load(orders, ORDER) === order) count(distance);
}

for (;;) {
  const order = Atomics.load(orders, ORDER);
  if (order === END) break;
  Atomics.store(orders, ANSWER, order);
  Atomics.notify(orders, ANSWER);
  if (order === REST) Atomics.wait(orders, ORDER, REST);
  else if (order === COUNT_ATOMIC || order === COUNT_PLAIN || order === TAKE) {
    obey(order, Atomics.load(orders, DISTANCE));
  }
}
