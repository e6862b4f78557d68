// Consumers that fetch: the classic pull consumer and the lite one.

import * as assert from 'uvu/assert';
import type { Kit } from '../support/clients.ts';
import { Ledger } from '../support/ledger.ts';
import type { Cluster } from '../support/target.ts';
import { allIntact, Consumer, Producer } from './actors.ts';

interface QueueReport {
  readonly queueId: number;
  readonly min: number;
  readonly max: number;
  readonly next: number;
  readonly committed: number;
  readonly beyond: string;
  readonly beyondNext: number;
  readonly atZero: number;
}

export async function pulling(kit: Kit, cluster: Cluster, count: number): Promise<void> {
  const topic = 'pulling';
  const ledger = new Ledger();
  await new Producer(
    kit,
    cluster,
    { topic, modes: 'async', count, tags: 'A,B', prefix: 'p' },
    ledger,
  ).finish();
  const consumer = new Consumer(kit, cluster, { program: 'Pull', topic, group: 'pulling-group' }, ledger);
  assert.is(await consumer.program.waitForEnd(60_000), 0, consumer.program.tail());
  ledger.exactlyOnce();
  allIntact(consumer.delivered);
  const reports = queueReports(consumer);
  assert.is(reports.length, 4);
  assert.is(
    reports.reduce((sum, report) => sum + report.max - report.min, 0),
    count,
  );
  for (const report of reports) {
    assert.is(report.next, report.max);
    assert.is(report.committed, report.max, 'the committed offset comes back');
    assert.is(report.beyond, 'OFFSET_ILLEGAL');
    assert.is(report.beyondNext, report.max, 'the right offset is named');
  }
  const waited = consumer.program.events.find((event) => event.event === 'waited');
  assert.is(waited?.['status'], 'NO_NEW_MSG');
  assert.is(waited?.['next'], waited?.['max']);
  // 2 s were asked for; RocketMQ looks at waiting pulls every 5 s only, so later is right too.
  assert.ok(
    Number(waited?.['milliseconds']) >= 1_900,
    `a pull at the end took ${waited?.['milliseconds']} ms`,
  );
}

export async function litePulling(kit: Kit, cluster: Cluster, count: number): Promise<void> {
  const topic = 'lite-pulling';
  const acked = await new Producer(kit, cluster, { topic, modes: 'async', count, prefix: 'l' }).finish();
  for (const assign of [true, false]) {
    const ledger = new Ledger();
    for (const sent of acked) ledger.send(sent.key);
    const args = {
      program: 'LitePull',
      topic,
      group: `lite-${assign ? 'assigned' : 'subscribed'}`,
      assign,
      count,
    };
    const consumer = new Consumer(kit, cluster, args, ledger);
    assert.is(await consumer.program.waitForEnd(60_000), 0, consumer.program.tail());
    if (assign) {
      ledger.atLeastOnce();
      const once = [...ledger.deliveries].filter(([, times]) => times < 2).map(([key]) => key);
      assert.equal(once, [], 'what was read before the seek is read again');
    } else ledger.exactlyOnce();
    allIntact(consumer.delivered);
    const reports = queueReports(consumer);
    assert.is(reports.length, assign ? 4 : 0);
    if (assign) {
      assert.is(
        reports.reduce((sum, report) => sum + report.committed, 0),
        count,
      );
      for (const report of reports) assert.is(report.atZero, 0);
    }
  }
}

function queueReports(consumer: Consumer): QueueReport[] {
  const reports = consumer.program.events.filter((event) => event.event === 'queue');
  return reports.map((event) => event as unknown as QueueReport);
}
