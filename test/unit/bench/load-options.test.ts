import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseLoadOptions } from '../../../bench/load/options.ts';

const parse = (...args: string[]) => parseLoadOptions(['--port', '10911', ...args]);

test('what is not said has its default', () => {
  const options = parse();
  assert.is(options.mode, 'send');
  assert.is(options.batch, 1);
  assert.is(options.pullBatch, 32);
  assert.is(options.once, false);
  assert.equal(options.expect, []);
});

test('expected keys', () => {
  assert.equal(parse('--mode', 'pull', '--expect', '1:8:1000,2:4:5').expect, [
    { run: 1, connections: 8, count: 1000 },
    { run: 2, connections: 4, count: 5 },
  ]);
});

for (const [name, args, complaint] of [
  ['no port', ['--port', ''], /--port must be a whole number/],
  ['unknown mode', ['--mode', 'push'], /--mode must be send or pull or pop or end-to-end or collect/],
  ['unknown header', ['--header', 'xml'], /--header must be json or binary/],
  ['unknown option', ['--bach', '3'], /--bach/],
  ['batch of none', ['--batch', '0'], /--batch must be/],
  ['too large a batch', ['--batch', '5', '--body', String(1 << 20)], /more than a broker's 4 MiB/],
  ['rate of pulls', ['--mode', 'pull', '--rate', '5'], /--rate belongs to --mode send or end-to-end/],
  ['polling for pulls', ['--mode', 'pull', '--poll'], /--poll belongs to --mode send or end-to-end/],
  ['batch of pulls', ['--mode', 'pull', '--batch', '5'], /--batch belongs/],
  ['one pass of sends', ['--once'], /--once belongs to --mode pull/],
  ['fraction end to end', ['--mode', 'end-to-end', '--from-fraction', '0.5'], /--from-fraction belongs/],
  ['fraction above one', ['--mode', 'pull', '--from-fraction', '1.5'], /number from 0 to 1/],
  ['keys that sends expect', ['--expect', '1:1:1'], /--expect belongs/],
  ['half of an expectation', ['--mode', 'pull', '--expect', '1:8'], /RUN:CONNECTIONS:COUNT_PER_CONNECTION/],
  ['too much of one', ['--mode', 'pull', '--expect', '1:8:9:7'], /RUN:CONNECTIONS:COUNT_PER_CONNECTION/],
  ['no number in one', ['--mode', 'pull', '--expect', '1:x:9'], /expect \(connections\)/],
  ['two times', ['--delay-level', '1', '--timer-delay', '5'], /exclude each other/],
  ['no such level', ['--delay-level', '19'], /--delay-level must be a whole number from 0 to 18/],
  ['a time in seconds', ['--deliver-at', '1700000000'], /of 13 digits/],
  ['a spread of nothing', ['--spread', '1000', '--messages', '8'], /--spread needs --deliver-at/],
  ['delayed batches', ['--batch', '4', '--delay-level', '1'], /refuse others in batches/],
  ['transactions later', ['--transaction', '--timer-delay', '10'], /does not go with/],
  ['transactions that are pulled', ['--mode', 'pull', '--transaction'], /--transaction belongs/],
  ['a number at a rate', ['--messages', '8', '--rate', '10'], /leave --rate out/],
  ['a number that does not divide', ['--messages', '9'], /multiple of --connections/],
  ['a number end to end', ['--mode', 'end-to-end', '--messages', '8'], /--messages belongs/],
  ['delayed pulls', ['--mode', 'pull', '--delay-level', '1'], /--delay-level, .* belongs/],
  ['rate of pops', ['--mode', 'pop', '--rate', '5'], /--rate belongs/],
  ['filtered pops', ['--mode', 'pop', '--sql', 'a > 1'], /--sql belongs/],
  ['a number of pops', ['--mode', 'pop', '--messages', '8'], /--messages belongs/],
  ['pops of many topics', ['--mode', 'pop', '--topics', '2'], /--mode pop has one topic/],
  ['collecting what nobody knows', ['--mode', 'collect'], /needs the --ledger/],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(() => parse(...args), complaint);
  });
}

test.run();
