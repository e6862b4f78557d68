import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { brokerLines, listeningLine } from '../../../src/cli/listening.ts';

test('what is listened on, and who reaches it', () => {
  assert.equal(listeningLine('the broker', ['127.0.0.1:10911', '127.0.0.1:10909']), {
    level: 'info',
    fields: { listening: ['127.0.0.1:10911', '127.0.0.1:10909'] },
    message:
      'the broker listens on 127.0.0.1:10911, and on 127.0.0.1:10909 for old clients (ringmq.vipChannel): ' +
      'only programs of this machine reach it',
  });
  const open = listeningLine('the name server', ['192.0.2.1:9876']);
  assert.is(open.level, 'info');
  assert.match(open.message, /^the name server listens on 192\.0\.2\.1:9876: there is no access control/);
  for (const all of ['0.0.0.0:1', '[::]:1']) {
    const line = listeningLine('the broker', [all]);
    assert.is(line.level, 'warn');
    assert.match(
      line.message,
      /all interfaces, and there is no access control: whoever reaches the port may do/,
    );
  }
});

test('a broker that leads other machines to themselves', () => {
  const levels = (address: string, ip: string, listening: string, ...nameServers: string[]) =>
    brokerLines({ address, ip, listening: [listening] }, nameServers).map(
      ({ message }) => message.split(':')[0],
    );
  const told = /^clients are told/;
  const there = 'names.example:9876';
  const lines = brokerLines({ address: '127.0.0.1:1', ip: '127.0.0.1', listening: ['0.0.0.0:1'] }, [
    '127.0.0.1:9876',
    there,
  ]);
  assert.is(lines.length, 2);
  assert.is(lines[1]?.level, 'warn');
  assert.match(
    lines[1]?.message ?? '',
    /told 127\.0\.0\.1:1, which is their own machine: those that ask names\.example/,
  );
  assert.match(levels('box:1', '127.0.1.1', '0.0.0.0:1', there)[1] ?? '', told);
  assert.is(levels('127.0.0.1:1', '127.0.0.1', '0.0.0.0:1', '127.0.0.1:9876').length, 1);
  assert.is(levels('127.0.0.1:1', '127.0.0.1', '127.0.0.1:1', there).length, 1);
  assert.is(levels('192.0.2.1:1', '192.0.2.1', '0.0.0.0:1', there).length, 1);
});

test.run();
