/**
 * Every field of every request, and every leaf of a JSON body, filled with nothing, huge texts, odd bytes and odd
 * numbers, in both header formats, on a live broker and a live name server. Each request is answered, or its connection
 * is closed; nothing ends, and a good client beside it gets all of its answers.
 *
 * The megabytes go to some places, chosen by the seed, and each value comes in one header format, unless
 * RINGMQ_TEST_FULL=1. HOSTILE_SEED repeats a run.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, Random, seeds } from '../support/random.ts';
import { Arena } from './support/arena.ts';
import { addReport, describeReport, type GoodClientReport } from './support/good-client.ts';
import { brokerRequests, nameServerRequests, type RequestShape } from './support/requests.ts';
import { Talk } from './support/talk.ts';
import { kilobytes, manyKilobytes, megabytes, smallValues } from './support/values.ts';
import { bodyOf, variationsOf } from './support/variations.ts';
import { encodeRequest, type WireRequest, type WireValue } from './support/wire.ts';

const ANSWER_MS = 30_000;
/** Requests that are sent before their answers are waited for. */
const PIPELINED = 64;
const PIPELINED_BYTES = 8 << 20;
/** Places that get megabytes in a short run. */
const HUGE_PLACES = 24;
/** Told, as it hints at what to look at next. */
const SLOW_MS = 500;
/** With a strange flag a pull may wait for messages: its answer may come later than we wait. */
const MAY_WAIT = new Map([
  [11, 'sysFlag'],
  [361, 'sysFlag'],
]);

interface Case {
  name: string;
  request: WireRequest;
  mayWait: boolean;
}

interface Context {
  arena: Arena;
  sum: GoodClientReport;
}

const test = suite<Context>('hostile fields');
const [seed = 1] = seeds('HOSTILE_SEED', 1);
const formats = new Random(seed);

test.before.each(async (context) => {
  context.arena = await Arena.start();
  context.sum = await context.arena.goodClient.rounds(20);
});

test.after.each(async ({ arena, sum }) => {
  console.log(`good client: ${describeReport(sum)}`);
  const ends = await arena.stop();
  assert.equal(ends, [0, 0], arena.broker.log + arena.nameServer.log);
  assert.equal([...arena.broker.errors, ...arena.nameServer.errors], [], 'no client causes an error');
});

/** Whether the header is binary: both in the full run, else one by the seed. */
function headerFormats(): boolean[] {
  return fullRun ? [false, true] : [formats.chance(0.5)];
}

function casesOf(
  shape: RequestShape,
  values: readonly WireValue[],
  places: (place: string) => boolean,
): Case[] {
  return variationsOf(shape)
    .filter(({ place }) => places(place))
    .flatMap(({ place, make }) =>
      [undefined, ...values].flatMap((value) =>
        headerFormats().map((binary) => ({
          name: `${shape.code} ${place} = ${value?.name ?? 'left out'}${binary ? ', binary' : ''}`,
          request: { code: shape.code, body: bodyOf(shape.body) ?? Buffer.alloc(0), ...make(value), binary },
          mayWait: MAY_WAIT.get(shape.code) === place,
        })),
      ),
    );
}

/** Sends them all; returns the names of those that got neither an answer nor a closed connection. */
async function sendAll(address: string, cases: readonly Case[]): Promise<string[]> {
  const unanswered: string[] = [];
  let talk = await Talk.open(address);
  let at = 0;
  while (at < cases.length) {
    const batch = takeBatch(cases, at);
    const opaques = batch.map(() => talk.nextOpaque());
    for (const [i, { request }] of batch.entries()) {
      void talk.write(encodeRequest(request, opaques[i] as number));
    }
    const open = () =>
      opaques.filter((opaque, i) => !(batch[i] as Case).mayWait && !talk.answers.has(opaque));
    await talk.until(() => open().length === 0, ANSWER_MS);
    if (talk.closed) {
      // The first that has no answer is what closed the connection; those behind it go again.
      at +=
        Math.max(
          0,
          opaques.findIndex((opaque) => !talk.answers.has(opaque)),
        ) + 1;
      talk = await Talk.open(address);
      continue;
    }
    for (const opaque of open()) unanswered.push((batch[opaques.indexOf(opaque)] as Case).name);
    talk.answers.clear();
    at += batch.length;
  }
  talk.destroy();
  return unanswered;
}

function takeBatch(cases: readonly Case[], from: number): Case[] {
  const batch: Case[] = [];
  let bytes = 0;
  for (const one of cases.slice(from, from + PIPELINED)) {
    bytes += encodeRequest(one.request, 0).length;
    if (batch.length > 0 && bytes > PIPELINED_BYTES) break;
    batch.push(one);
  }
  return batch;
}

async function attack({ arena, sum }: Context, address: string, cases: readonly Case[]): Promise<void> {
  const first = cases[0]?.name;
  const unanswered = await sendAll(address, cases);
  arena.check();
  const report = await arena.goodClient.report();
  addReport(sum, report);
  if (report.slowest.ms > SLOW_MS) console.log(`slow, beside ${first}: ${describeReport(report)}`);
  assert.equal(sum.wrong, [], `the good client, after ${first}, seed ${seed}`);
  assert.equal(unanswered, [], `seed ${seed}`);
}

for (const [name, shapes] of [
  ['broker', brokerRequests],
  ['name server', nameServerRequests],
] as const) {
  const addressOf = ({ arena }: Context) =>
    name === 'broker' ? arena.broker.address : arena.nameServer.address;

  test(`${name}: small values everywhere`, async (context) => {
    for (const shape of shapes) {
      await attack(
        context,
        addressOf(context),
        casesOf(shape, smallValues, () => true),
      );
    }
  });

  test(`${name}: kilobytes everywhere, megabytes in some places`, async (context) => {
    const random = new Random(seed);
    const places = shapes.reduce((sum, shape) => sum + variationsOf(shape).length, 0);
    const chance = fullRun ? 1 : HUGE_PLACES / places;
    for (const shape of shapes) {
      await attack(
        context,
        addressOf(context),
        casesOf(shape, [...kilobytes, ...manyKilobytes], () => true),
      );
      const huge = casesOf(shape, megabytes, () => random.chance(chance));
      if (huge.length > 0) await attack(context, addressOf(context), huge);
    }
  });
}

test.run();
