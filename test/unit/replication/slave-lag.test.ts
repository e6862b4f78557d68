/** A slave asks its master how far that is. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SlaveLag } from '../../../src/broker/follow/slave-lag.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { responseTo } from '../../../src/protocol/command.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';

interface Context {
  answer: { body: string };
  server: CommandServer;
  lag: SlaveLag;
}

const test = suite<Context>('behind the master');
const says = (end: number, newest?: number) =>
  JSON.stringify({ masterCommitLogMaxOffset: end, masterNewestStoreTimestamp: newest });

test.before.each(async (context) => {
  const answer = { body: '' };
  context.answer = answer;
  context.server = await startCommandServer({
    host: '127.0.0.1',
    port: 0,
    handler: (request) =>
      Promise.resolve({ ...responseTo(request, ResponseCode.SUCCESS), body: Buffer.from(answer.body) }),
  });
  context.lag = new SlaveLag({ tls: () => undefined, end: () => 1_000, newest: () => 70_000 });
});
test.after.each(async ({ server, lag }) => {
  lag.close();
  await server.close();
});

test('bytes and time, by the word of the master alone', async ({ server, lag, answer }) => {
  await lag.ask();
  assert.is(lag.behind, undefined, 'nobody is known');
  lag.follow(`127.0.0.1:${server.port}`);
  for (const [body, behind] of [
    [says(1_400, 75_000), { bytes: 400, ms: 5_000 }],
    [says(1_400, 60_000), { bytes: 400, ms: 0 }],
    [says(1_400), { bytes: 400, ms: undefined }],
    [says(1_000, 99_000), { bytes: 0, ms: 0 }],
    [says(900, 99_000), { bytes: 0, ms: 0 }],
    ['{}', undefined],
    ['nonsense', undefined],
  ] as const) {
    answer.body = body;
    await lag.ask();
    assert.equal(lag.behind, behind, body);
  }
});

test('a master that is away is not told to be near, and what is no address is not asked', async ({
  server,
  lag,
  answer,
}) => {
  answer.body = says(1_400, 75_000);
  lag.follow(`127.0.0.1:${server.port}`);
  await lag.ask();
  assert.ok(lag.behind);
  lag.follow('');
  lag.follow('no address');
  await lag.ask();
  assert.ok(lag.behind, 'it is the same master still');
  await server.close();
  await lag.ask();
  assert.is(lag.behind, undefined);
});

test.run();
