/**
 * A ledger as a file: how many keys each connection of each run has used, and which of them were not acknowledged, as
 * ranges. Nearly all are acknowledged, so that is short.
 */
import fs from 'node:fs';
import { Ledger } from './ledger.ts';
import type { ExpectedKeys, LoadOptions } from './options.ts';

const FORMAT = 'ringmq-ledger-1';

interface Entry {
  run: number;
  connection: number;
  sent: number;
  /** First counter and number of each range. */
  unacknowledged: [first: number, count: number][];
}

export function encodeLedger(ledger: Ledger): string {
  return `${JSON.stringify({ format: FORMAT, keys: [...entries(ledger)] })}\n`;
}

function* entries(ledger: Ledger): Generator<Entry> {
  for (const keys of ledger.all()) {
    const unacknowledged: Entry['unacknowledged'] = [];
    for (let counter = 0; counter < keys.sent; counter++) {
      if (keys.isAcknowledged(counter)) continue;
      const last = unacknowledged.at(-1);
      if (last !== undefined && last[0] + last[1] === counter) last[1]++;
      else unacknowledged.push([counter, 1]);
    }
    yield { run: keys.run, connection: keys.connection, sent: keys.sent, unacknowledged };
  }
}

export function decodeLedger(text: string): Ledger {
  const content = JSON.parse(text) as { format?: string; keys?: Entry[] };
  if (content.format !== FORMAT || !Array.isArray(content.keys)) throw new Error(`no ${FORMAT}`);
  const ledger = new Ledger();
  for (const { run, connection, sent, unacknowledged } of content.keys) {
    const keys = ledger.open(run, connection);
    keys.sent = sent;
    let from = 0;
    for (const [first, count] of unacknowledged) {
      keys.acknowledge(from, first - from);
      from = first + count;
    }
    keys.acknowledge(from, sent - from);
  }
  return ledger;
}

export function readLedger(file: string): Ledger {
  try {
    return decodeLedger(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`--ledger ${file}: ${(error as Error).message}`);
  }
}

/** The ledger that a sending run adds to: what the file has, or a new one. */
export function ledgerToExtend(file: string, run: number): Ledger {
  if (file === '' || !fs.existsSync(file)) return new Ledger();
  const ledger = readLedger(file);
  if (ledger.has(run)) throw new Error(`--ledger ${file}: run ${run} is in it already; give another --run`);
  return ledger;
}

export function writeLedger(file: string, ledger: Ledger): void {
  const draft = `${file}.new`;
  fs.writeFileSync(draft, encodeLedger(ledger));
  fs.renameSync(draft, file);
}

export function addExpected(ledger: Ledger, expected: readonly ExpectedKeys[]): void {
  for (const { run, connections, count } of expected) {
    for (let connection = 0; connection < connections; connection++) {
      const keys = ledger.open(run, connection);
      keys.sent = count;
      keys.acknowledge(0, count);
    }
  }
}

/** What a run that reads is to find, if it was told. */
export function ledgerOf({ ledger: file, expect }: LoadOptions): Ledger | undefined {
  if (file === '' && expect.length === 0) return undefined;
  const ledger = file === '' ? new Ledger() : readLedger(file);
  addExpected(ledger, expect);
  return ledger;
}
