import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  isLoopback,
  isWildcard,
  machineAddress,
  type Resolver,
  resolveHost,
} from '../../../src/net/hosts.ts';

type Answer = { address: string; family: number }[] | string;

/** Gives one answer after the other; a text is the code of an error. */
function resolver(...answers: Answer[]): Resolver & { pauses: number[] } {
  const pauses: number[] = [];
  return {
    pauses,
    lookup: async () => {
      const answer = answers.shift() ?? [];
      if (typeof answer === 'string') throw Object.assign(new Error(answer), { code: answer });
      return answer;
    },
    pause: async (ms) => void pauses.push(ms),
  };
}

const V4 = { address: '192.0.2.7', family: 4 };
const V6 = { address: '2001:db8::7', family: 6 };

test('all interfaces, this machine, and neither', () => {
  for (const host of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::0', '::ffff:0.0.0.0'])
    assert.ok(isWildcard(host), host);
  for (const host of [
    '127.0.0.1',
    '127.1.2.3',
    '::1',
    '0:0::1',
    'localhost',
    'LocalHost',
    '::ffff:127.0.0.1',
  ]) {
    assert.ok(isLoopback(host) && !isWildcard(host), host);
  }
  for (const host of ['192.0.2.1', '2001:db8::1', '1::', '::2', 'broker', '127.example']) {
    assert.not(isLoopback(host) || isWildcard(host), host);
  }
  assert.not(isWildcard(machineAddress()));
});

test('addresses stay as they are, names become addresses, IPv4 first', async () => {
  const log = () => assert.unreachable();
  assert.is(await resolveHost('brokerIP1', '192.0.2.1', log, resolver('ENOTFOUND')), '192.0.2.1');
  assert.is(await resolveHost('brokerIP1', '::ffff:192.0.2.1', log, resolver('ENOTFOUND')), '192.0.2.1');
  assert.is(await resolveHost('brokerIP1', 'broker', log, resolver([V6, V4])), '192.0.2.7');
  assert.is(await resolveHost('brokerIP1', 'broker', log, resolver([V6])), '2001:db8::7');
  assert.is(await resolveHost('brokerIP1', 'localhost', log), '127.0.0.1');
});

test('an unknown name is told with its key at once', async () => {
  const nobody = resolver('ENOTFOUND');
  let message = '';
  await resolveHost('brokerIP1', 'brooker', () => assert.unreachable(), nobody).catch((error: Error) => {
    message = error.message;
  });
  assert.match(
    message,
    /^brokerIP1=brooker: no address is known here for that name \(ENOTFOUND\)\. Set brokerIP1 to/,
  );
  assert.equal(nobody.pauses, []);
});

test('a resolver that cannot tell yet is asked again, but not for ever', async () => {
  const lines: string[] = [];
  const soon = resolver('EAI_AGAIN', 'EAI_AGAIN', [V4]);
  assert.is(await resolveHost('brokerIP1', 'broker', (line) => lines.push(line), soon), '192.0.2.7');
  assert.is(soon.pauses.length, 2);
  assert.equal(lines, ['brokerIP1=broker cannot be resolved yet: trying for some seconds']);
  const never = resolver(...Array.from({ length: 9 }, () => 'EAI_AGAIN'));
  let message = '';
  await resolveHost('bindAddress', 'broker', () => {}, never).catch((error: Error) => {
    message = error.message;
  });
  assert.match(message, /^bindAddress=broker: .*\(EAI_AGAIN\)/);
  assert.is(never.pauses.length, 4);
});

test.run();
