import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProducerTable } from '../../../src/clients/producers.ts';
import { FakeConnection } from '../metadata/support.ts';

const test = suite('producers');

const A_MILLION = 1_000_000;

function tableOf(...ids: string[]): ProducerTable {
  const table = new ProducerTable();
  for (const id of ids) join(table, id);
  return table;
}

function join(table: ProducerTable, id: string): void {
  table.register(
    'g',
    { connection: new FakeConnection(id), clientId: id, language: 'JAVA', version: 513 },
    0,
  );
}

function picked(table: ProducerTable, times: number): string {
  return Array.from({ length: times }, () => table.pick('g')?.id ?? '-').join('');
}

test('members have their turns one after the other, however they come and go', () => {
  const table = tableOf('a', 'b', 'c');
  assert.is(picked(table, 7), 'abcabca');
  table.unregister('g', 'b');
  assert.is(picked(table, 2), 'ca');
  join(table, 'd');
  assert.is(picked(table, 4), 'cdac');
  table.unregister('g', 'd');
  assert.is(picked(table, 2), 'ac', 'the one whose turn it was is gone');
  for (const id of ['a', 'c']) table.unregister('g', id);
  assert.is(picked(table, 2), '--');
  join(table, 'e');
  assert.is(picked(table, 2), 'ee');
});

test('each group has its own turns', () => {
  const table = tableOf('a', 'b');
  const client = { connection: new FakeConnection('x'), clientId: 'x', language: 'JAVA', version: 513 };
  table.register('other', client, 0);
  assert.is(picked(table, 1), 'a');
  assert.is(table.pick('other')?.id, 'x');
  assert.is(picked(table, 2), 'ba');
});

test('to pick one looks at no others', () => {
  const table = tableOf(...Array.from({ length: 10_000 }, (_, i) => `m${i}`));
  const counts = new Map<string, number>();
  // With every member looked at each time this would take minutes.
  for (let i = 0; i < A_MILLION; i++) {
    const id = table.pick('g')?.id ?? '';
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  assert.is(counts.size, 10_000);
  assert.equal(new Set(counts.values()), new Set([100]));
});

test.run();
