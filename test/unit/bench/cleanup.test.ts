import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RunFolder, type StartOptions } from '../../../bench/rocketmq/cleanup.ts';

const test = suite('what a run starts');
const CERTIFICATES = 'NODE_EXTRA_CA_CERTS';
const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'ringmq-run-folder-'));
const folder = new RunFolder(cache);

async function environmentOf(options: Partial<StartOptions>): Promise<string[]> {
  const child = folder.start({ command: 'env', args: [], ...options });
  let output = '';
  child.stdout?.on('data', (text) => (output += text));
  await new Promise((resolve) => child.once('close', resolve));
  return output.split('\n');
}

const env = { [CERTIFICATES]: '/none', OTHER: 'kept' };

test('brokers and generators start without certificates of package registries', async () => {
  assert.equal(await environmentOf({ env }), ['OTHER=kept', '']);
  process.env[CERTIFICATES] = '/none';
  const inherited = await environmentOf({});
  delete process.env[CERTIFICATES];
  assert.not.ok(inherited.some((line) => line.startsWith(CERTIFICATES)));
  assert.ok(inherited.some((line) => line.startsWith('PATH=')));
});

test('what may fetch something keeps them', async () => {
  assert.ok((await environmentOf({ env, fetches: true })).includes(`${CERTIFICATES}=/none`));
});

test.after(() => fs.rmSync(cache, { recursive: true }));
test.run();
