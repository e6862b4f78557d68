/** The log's library is loaded with the first line; where that fails, the line is written all the same. */
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('logger');

test('a line that pino cannot be loaded for is written as pino would, and the next one tries again', () => {
  const module = new URL('../../../src/cli/logger.js', import.meta.url).href;
  const script = `
    const { createLogger } = await import('${module}');
    let fails = true;
    const log = createLogger('warn', () => {
      if (fails) throw new Error('no descriptor');
      return { error: (fields, text) => process.stderr.write('pino ' + text) };
    });
    log.info({}, 'too quiet');
    log.error({ err: new Error('inner'), at: 7 }, 'first');
    fails = false;
    log.error({}, 'second');
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.is(child.status, 0, child.stderr);
  const [first, second] = child.stderr.split('\n');
  const { level, at, msg, err } = JSON.parse(first as string);
  assert.equal([level, at, msg, err.message], [50, 7, 'first', 'inner']);
  assert.is(second, 'pino second');
});

test.run();
