/** A slave looks at the master of which a name server tells, and follows none that cannot be its own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FittingMaster } from '../../../src/broker/follow/fitting-master.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { responseTo } from '../../../src/protocol/command.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import { recordingLog } from '../../support/recording-log.ts';

interface Context {
  /** Its configuration. */
  answer: { body: string | undefined };
  server: CommandServer;
}

const test = suite<Context>('a master that fits');
const FITS = 'brokerClusterName=A\nmappedFileSizeCommitLog=1000\n';

test.before.each(async (context) => {
  const answer: Context['answer'] = { body: FITS };
  context.answer = answer;
  context.server = await startCommandServer({
    port: 0,
    host: '127.0.0.1',
    handler: (request) =>
      Promise.resolve(
        answer.body === undefined
          ? responseTo(request, ResponseCode.SYSTEM_ERROR)
          : { ...responseTo(request, ResponseCode.SUCCESS), body: Buffer.from(answer.body) },
      ),
  });
});
test.after.each(({ server }) => server.close());

function rigOf({ server }: Context) {
  const { log, lines } = recordingLog();
  const followed: string[][] = [];
  const asked: string[] = [];
  const master = new FittingMaster({
    ...{ brokerClusterName: 'A', mappedFileSizeCommitLog: 1_000, tls: () => undefined, log },
    masterIs: (...addresses) => void followed.push(addresses),
    ask: () => void asked.push('where is it?'),
  });
  const address = `127.0.0.1:${server.port}`;
  const told = async () => {
    await master.told('127.0.0.1:2', address);
    return lines.splice(0).map(({ level, fields, message }) => [level, message, fields?.['reason']]);
  };
  return { master, address, followed, asked, told, lines };
}

test('one that fits is followed, without a word', async (context) => {
  const { address, followed, told } = rigOf(context);
  assert.equal(await told(), []);
  assert.equal(followed, [['127.0.0.1:2', address]]);
});

test('one of another cluster, or with files of another size, is told of once and not followed', async (context) => {
  const { followed, told } = rigOf(context);
  const { answer } = context;
  const sentence = 'this slave does not follow a master that does not fit';
  answer.body = FITS.replace('=A', '=B');
  const [line] = await told();
  assert.equal(line?.slice(0, 2), ['error', sentence]);
  assert.match(String(line?.[2]), /is of the cluster B, and this slave of A: set the same brokerClusterName/);
  assert.equal(await told(), []);
  answer.body = FITS.replace('1000', '2000');
  assert.match(
    String((await told())[0]?.[2]),
    /has files of 2000 bytes, and this slave's of 1000: set the same/,
  );
  // While it cannot be asked it stays what it was.
  answer.body = undefined;
  assert.equal(await told(), []);
  assert.equal(followed, []);
  answer.body = FITS;
  assert.equal(await told(), [['info', 'the master fits this slave now', undefined]]);
  assert.is(followed.length, 1);
});

test('the master of a name in another cluster is told of, which name servers do not name to a slave', async (context) => {
  const { master, address, followed, lines } = rigOf(context);
  context.answer.body = FITS.replace('=A', '=B');
  await master.told('', '');
  for (let second = 0; second < 3; second++) await master.seen(address);
  assert.equal(
    lines.map(({ level }) => level),
    ['error'],
  );
  assert.equal(followed, [['', '']]);
});

test('a master that is seen while none is known is asked for once, and again when it has been away', async (context) => {
  const { master, address, asked, told } = rigOf(context);
  await master.told('', '');
  await master.seen('');
  assert.is(asked.length, 0);
  for (let second = 0; second < 3; second++) await master.seen(address);
  assert.is(asked.length, 1);
  await told();
  await master.seen(address);
  assert.is(asked.length, 1, 'it is known');
  await master.told('', '');
  await master.seen('');
  await master.seen(address);
  assert.is(asked.length, 2);
});

test('who does not say what it is, or is not there, is followed as ever, in the order of what was said', async (context) => {
  const { master, address, followed } = rigOf(context);
  context.answer.body = 'aKey=1\n';
  const all = [master.told('a:1', address), master.told('', ''), master.told('b:1', 'no address')];
  await context.server.close();
  await Promise.all([...all, master.told('c:1', address)]);
  assert.equal(
    followed.map(([first]) => first),
    ['a:1', '', 'b:1', 'c:1'],
  );
});

test.run();
