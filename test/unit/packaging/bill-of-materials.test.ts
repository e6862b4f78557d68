// What artefacts say of the work of others in them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PROJECT } from '../../support/markdown-pages.ts';

const test = suite('bill of materials');

interface Package {
  name: string;
  version: string;
  license: string;
  text: string;
}

interface Bill {
  serialNumber: string;
  metadata: { timestamp: string; component: { name: string; version: string } };
  components: { name: string; version: string; purl: string; licenses: unknown[] }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

interface Materials {
  packagesOf(inputs: readonly string[]): Package[];
  billOfMaterials(of: { version: string; packages: Package[]; node?: string; time: number }): Bill;
  licences(packages: readonly Package[], nodeLicence?: string): string;
}

const path = join(PROJECT, 'packaging/lib/bill-of-materials.mjs');
const { packagesOf, billOfMaterials, licences } = (await import(path)) as Materials;

const INPUTS = ['src/cli/main.ts', 'node_modules/pino/pino.js', 'node_modules/pino/lib/tools.js'];
const SCOPED = 'node_modules/@pinojs/redact/index.js';

test('packages are those whose files were read, each once, with their licences', () => {
  const packages = packagesOf([...INPUTS, SCOPED]);
  assert.equal(
    packages.map(({ name }) => name),
    ['@pinojs/redact', 'pino'],
  );
  const { version, license } = JSON.parse(
    readFileSync(join(PROJECT, 'node_modules/pino/package.json'), 'utf8'),
  );
  assert.equal([packages[1]?.version, packages[1]?.license], [version, license]);
  assert.match(packages[1]?.text ?? '', /Permission is hereby granted/);
  const text = licences(packages);
  for (const { name, text: own } of packages) assert.ok(text.includes(name) && text.includes(own));
});

test('the bill names each component by its package address, and says the same of the same', () => {
  const of = {
    version: '1.2.3',
    packages: packagesOf([...INPUTS, SCOPED]),
    node: '24.0.0',
    time: 1_700_000_000,
  };
  const bill = billOfMaterials(of);
  assert.equal(bill, billOfMaterials(of));
  assert.is(bill.metadata.timestamp, '2023-11-14T22:13:20.000Z');
  assert.equal(
    bill.components.map(({ purl }) => purl.replace(/@[\d.]+$/, '')),
    ['pkg:npm/%40pinojs/redact', 'pkg:npm/pino', 'pkg:generic/node'],
  );
  assert.is(bill.dependencies[0]?.dependsOn.length, 3);
  assert.match(
    bill.serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.is.not(billOfMaterials({ ...of, version: '1.2.4' }).serialNumber, bill.serialNumber);
});

test.run();
