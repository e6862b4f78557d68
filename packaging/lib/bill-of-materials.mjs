/**
 * What of others is in an artefact: the npm packages whose files went into the bundles, and Node.js itself. As a
 * CycloneDX bill of materials (specification 1.6, JSON), and as a text with their licences.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;

/** Packages by what esbuild has read: paths relative to the project's folder. */
export function packagesOf(inputs) {
  const folders = new Set(
    inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  return [...folders].sort().map(describe);
}

function describe(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const files = readdirSync(join(root, folder)).filter((file) => LICENCE_FILE.test(file));
  const text = files.sort().map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
  return { name, version, license, text: text.join('\n\n') };
}

/**
 * `packages` as `packagesOf` gives them; what is none of npm has an `address` of its own.
 * `time` in seconds since the epoch; the serial number hangs on the contents, so that the same build says the same.
 */
export function billOfMaterials({ version, packages, node, time }) {
  const components = packages.map(({ name, version: own, license, address = addressOf(name, own) }) => ({
    type: 'library',
    'bom-ref': address,
    name,
    version: own,
    purl: address,
    licenses: [/ /.test(license) ? { expression: license } : { license: { id: license } }],
  }));
  if (node !== undefined)
    components.push({
      type: 'platform',
      'bom-ref': `pkg:generic/node@${node}`,
      name: 'node',
      version: node,
      purl: `pkg:generic/node@${node}`,
      licenses: [{ license: { name: 'Node.js, see the text with all licences' } }],
    });
  const self = `pkg:npm/ringmq@${version}`;
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(time * 1_000).toISOString(),
      component: { type: 'application', 'bom-ref': self, name: 'ringmq', version, purl: self },
    },
    components,
    dependencies: [{ ref: self, dependsOn: components.map((component) => component['bom-ref']) }],
  };
  return { ...bill, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(bill))}` };
}

/** A package address (purl specification): the @ of a scope is written in another way, its slash is not. */
function addressOf(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** A name-based UUID (RFC 9562, version 8) of a text. */
function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** One text with all licences. `nodeLicence`: the file that came with Node.js, undefined where it is not in. */
export function licences(packages, nodeLicence) {
  const parts = packages.map(({ name, version, license, text }) => {
    return `${name} ${version}: ${license}\n\n${text === '' ? `(It comes without a text; ${license}.)` : text}`;
  });
  if (nodeLicence !== undefined && existsSync(nodeLicence))
    parts.push(`Node.js, with what it contains:\n\n${readFileSync(nodeLicence, 'utf8').trim()}`);
  const head = 'RingMQ is licensed under the Apache License 2.0. It contains:';
  return `${[head, ...parts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
