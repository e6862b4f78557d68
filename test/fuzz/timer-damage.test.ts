/**
 * Timers whose files lose or change bytes while nobody looks, or while they are used: every message still comes, none
 * early, none of other content, none that was recalled; and whoever makes the files anew says why. FUZZ_SEED=<n> runs
 * one history again.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, Random, seeds } from '../support/random.ts';
import { TimerRig } from '../unit/delivery/timer-support.ts';

const test = suite('damaged files of timers');
const LONGEST_MS = 30_000;
const FILES = ['/store/timerwheel', '/store/timerlog/', '/store/config/timercheck'];

interface Sent {
  /** By the machine's clock, or in elapsed time. */
  due: number;
  span: boolean;
  recalled: boolean;
}

/** Sends what a slot may hold: single messages, and crowds of one second. */
function send(rig: TimerRig, random: Random, sent: Map<string, Sent>): void {
  const now = rig.time.now();
  const crowd = random.chance(0.2) ? random.int(60, 160) : 1;
  const second = random.int(2_000, LONGEST_MS);
  for (let i = 0; i < crowd; i++) {
    const body = `m${sent.size}`;
    const ms = crowd === 1 ? second : second + random.int(0, 900);
    const span = random.chance(0.5);
    if (span) rig.after(body, ms);
    else rig.at(body, now + ms);
    const recalled = ms > 3_000 && random.chance(0.1);
    if (recalled) rig.recall(body, (Math.ceil((now + ms) / 1000) - 1) * 1000);
    sent.set(body, { due: span ? rig.time.monotonic() + ms : now + ms, span, recalled });
  }
}

/** A byte that is not 0, or the one behind it, as most of the files are holes. */
function damage(rig: TimerRig, random: Random): string {
  const kind = random.pick(FILES);
  const paths = rig.disk.paths().filter((path) => path.startsWith(kind));
  if (paths.length === 0) return 'nothing';
  const path = random.pick(paths);
  const bytes = rig.disk.bytesOf(path);
  const from = random.int(0, bytes.length - 1);
  const found = bytes.findIndex((byte, at) => at >= from && byte !== 0);
  const at = Math.min(bytes.length - 1, (found < 0 ? from : found) + random.int(0, 1));
  const before = bytes[at] as number;
  bytes[at] = random.chance(0.5) ? before ^ (1 << random.int(0, 7)) : random.int(0, 255);
  return `${path} at ${at}: ${before} is ${bytes[at]}`;
}

function check(rig: TimerRig, sent: ReadonlyMap<string, Sent>): void {
  for (const { body, at, monotonic, message } of rig.delivered) {
    const known = sent.get(body);
    assert.ok(known !== undefined, `${body} was sent by nobody`);
    assert.equal([message.topic, message.queueId, message.properties.get('UNIQ_KEY')], ['t', 3, body]);
    assert.not(known.recalled, `${body} comes although it was recalled`);
    const early = known.due - (known.span ? monotonic : at);
    assert.ok(early <= 0, `${body} comes ${early} ms early`);
  }
  const come = new Set(rig.bodies);
  for (const [body, { recalled }] of sent) if (!recalled) assert.ok(come.has(body), `${body} is lost`);
  for (const line of rig.lines)
    if (line.includes('is made anew')) assert.match(line, /timerwheel|timerlog|the wheel|timer log/);
}

async function history(random: Random, notes: string[]): Promise<TimerRig> {
  const rig = new TimerRig({
    timerRollWindowSlot: 15,
    mappedFileSizeTimerLog: 52 * 100 + 16,
    wheelSlots: 200,
  });
  const sent = new Map<string, Sent>();
  const rounds = random.int(1, 4);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < random.int(1, 20); i++) send(rig, random, sent);
    await rig.time.advance(random.int(100, 6_000));
    if (random.chance(0.7)) await rig.save();
    const end = random.pick(['stop', 'kill', 'none']);
    if (end === 'stop') await rig.stop();
    if (end === 'kill') rig.service.stop();
    const times = random.int(1, 3);
    for (let i = 0; i < times; i++) notes.push(`${end}: ${damage(rig, random)}`);
    if (end === 'kill') rig.kill();
    if (end === 'stop') rig.begin();
  }
  await rig.live(2 * LONGEST_MS + 20_000);
  notes.push(...rig.lines);
  check(rig, sent);
  return rig;
}

test('whatever byte is another one, every message comes, at its time, as it was sent', async () => {
  const totals = { delivered: 0, twice: 0, remade: 0, whole: 0 };
  const all = seeds('FUZZ_SEED', fullRun ? 3_000 : 150);
  for (const seed of all) {
    const notes: string[] = [];
    try {
      const rig = await history(new Random(seed), notes);
      const remade = rig.lines.filter((line) => line.includes('is made anew')).length;
      totals.delivered += rig.delivered.length;
      totals.twice += rig.delivered.length - new Set(rig.bodies).size;
      totals.remade += remade;
      totals.whole += remade === 0 ? 1 : 0;
    } catch (error) {
      throw new Error(`seed ${seed} (FUZZ_SEED=${seed}), ${notes.join('; ')}: ${(error as Error).stack}`);
    }
  }
  // A run in which one of these never happens tests nothing.
  if (all.length > 1) assert.not(Object.values(totals).includes(0), JSON.stringify(totals));
});

test.run();
