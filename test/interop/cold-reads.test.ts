// What mqadmin sets and shows of reads from the disk: thresholds of groups, and whether they bring what follows.

import * as assert from 'uvu/assert';
import { java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('cold reads', { conf: { coldDataFlowControlEnable: true } });

class Tool {
  readonly #dialogue = new Dialogue(java55.start('MqAdmin', { namesrv: cluster().nameServer.address }));

  async run(command: string, ...words: string[]): Promise<string> {
    const { nameServer, broker } = cluster();
    const line = [command, '-n', nameServer.address, '-b', broker.address, ...words];
    return String(await this.#dialogue.ask(line.join('\t')));
  }

  end(): Promise<void> {
    return this.#dialogue.end();
  }
}

test('thresholds of groups are set, shown and removed', async () => {
  const tool = new Tool();
  const shown = () => tool.run('getColdDataFlowCtrInfo');
  const empty = await shown();
  for (const name of ['runtimeTable', 'configTable', 'globalAcc']) assert.match(empty, new RegExp(name));
  assert.match(empty, /cgColdReadThreshold"? ?: ?3145728/);
  assert.match(empty, /globalColdReadThreshold"? ?: ?104857600/);
  assert.match(await tool.run('updateColdDataFlowCtrGroupConfig', '-g', 'reader', '-v', '4096'), /success/);
  assert.match(await shown(), /reader"? ?: ?4096/);
  assert.match(await tool.run('updateColdDataFlowCtrGroupConfig', '-g', 'reader', '-v', '8192'), /success/);
  assert.match(await shown(), /reader"? ?: ?8192/);
  assert.match(await tool.run('removeColdDataFlowCtrGroupConfig', '-g', 'reader'), /success/);
  assert.not.match(await shown(), /reader/);
  await tool.end();
});

test('the read mode is 0 or 1', async () => {
  const tool = new Tool();
  for (const mode of ['1', '0']) {
    assert.match(await tool.run('setCommitLogReadAheadMode', '-m', mode), /success/);
  }
  await tool.end();
});

test.run();
