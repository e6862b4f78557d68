import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingMQError } from '../../../src/embed/error.ts';
import { diedOf, errorOf, reportOf } from '../../../src/embed/error-report.ts';
import { startReport } from '../../../src/embed/explain.ts';
import { UnknownHost } from '../../../src/net/hosts.ts';
import { StoreInUse } from '../../../src/store/opening.ts';
import { sourceFiles } from '../../support/source-files.ts';

const test = suite('errors of an embedded broker');

const system = (fields: object) => Object.assign(new Error('listen'), fields);
const place = { address: '127.0.0.1', port: 80 };

test('what the system refuses is told by the options that can change it', () => {
  for (const [error, option, code, message] of [
    [
      { code: 'EADDRINUSE', ...place },
      'port',
      'RINGMQ_PORT_IN_USE',
      /: port: 127\.0\.0\.1:80 is in use: .* leave port out/,
    ],
    [
      { code: 'EADDRINUSE', ...place },
      'nameServerPort',
      'RINGMQ_PORT_IN_USE',
      /: nameServerPort: .* leave nameServerPort out/,
    ],
    [
      { code: 'EACCES', ...place },
      'port',
      'RINGMQ_PORT_IN_USE',
      /: port: .* may not be used by this user: .* above 1023/,
    ],
    [
      { code: 'EADDRNOTAVAIL', address: '192.0.2.1' },
      'port',
      'RINGMQ_BAD_ADDRESS',
      /host: 192\.0\.2\.1 is not an address/,
    ],
    [
      { code: 'EACCES', path: '/a', syscall: 'open' },
      'port',
      'RINGMQ_START_FAILED',
      /\/a may not be used .* Choose another store\.$/,
    ],
  ] as const) {
    const report = startReport('startBroker', system(error), option);
    assert.is(report.code, code);
    assert.match(report.message, message);
    assert.match(report.message, /^startBroker: /);
  }
  assert.is(startReport('openStore', new StoreInUse('x')).code, 'RINGMQ_STORE_IN_USE');
  assert.is(startReport('startBroker', new UnknownHost('x')).code, 'RINGMQ_BAD_ADDRESS');
});

test('an error keeps its cause and the fields of the system over a thread', () => {
  const cause = new TypeError('deep', { cause: system({ code: 'EIO', errno: -5 }) });
  const error = errorOf(structuredClone(reportOf('RINGMQ_DIED', 'it died', cause)));
  assert.instance(error, RingMQError);
  assert.is(error.name, 'RingMQError');
  assert.is(error.code, 'RINGMQ_DIED');
  const first = error.cause as Error;
  assert.equal([first.name, first.message, first.stack], ['TypeError', 'deep', cause.stack]);
  const second = first.cause as NodeJS.ErrnoException;
  assert.equal([second.message, second.code, second.errno], ['listen', 'EIO', -5]);
});

test('whatever a thread throws becomes an error of ours', () => {
  assert.match(diedOf('a text').message, /a text/);
  const foreign = { name: 'Error', message: 'of another realm', stack: 'Error: of another realm' };
  assert.match(diedOf(foreign).message, /^the embedded broker died: of another realm$/);
  assert.instance(diedOf(foreign).cause, Error);
});

test('only the command line and the configuration speak of the command line', () => {
  const others = sourceFiles('src').filter(({ path }) => !/^src\/(?:cli|config)\//.test(path));
  const speaks = /['"`].*(?:(?<![\w-])--[a-z][a-z-]+|broker\.conf)/;
  const found = others.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, i) =>
        !/^\s*(?:\/\/|\/?\*)/.test(line) && speaks.test(line) ? [`${path}:${i + 1}`] : [],
      ),
  );
  assert.equal(found, []);
});

test.run();
