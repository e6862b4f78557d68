import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { configurationDocument } from '../../../src/config/document.ts';
import { readProjectFile } from '../../support/source-files.ts';

const test = suite('configuration document');

test('docs/configuration.md is up to date', () => {
  const upToDate = readProjectFile('docs/configuration.md') === configurationDocument();
  assert.ok(upToDate, 'run: node dist/src/config/write-document.js');
});

test.run();
