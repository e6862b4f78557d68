/** The JavaScript inside the single executable: the bundles, and as a file each the npm packages that they load. */
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/paths.mjs';

const BUNDLES = 'dist/bundle';
const IS_BUNDLE = /\.cjs(\.map)?$/;
/** Those of the library that a program embeds. */
const NOT_RUN = /^(index|control\.thread|run-control)\.cjs/;
/** By the name under which the loader finds them. */
const PACKAGES = {
  pino: 'node_modules/pino/pino.js',
  'pino-pretty': 'node_modules/pino-pretty/index.js',
  piscina: 'node_modules/piscina/dist/index.js',
  'piscina-worker': 'node_modules/piscina/dist/worker.js',
};

/** Writes them into the folder; returns their names, and the files of which they were made. */
export async function writeModules(folder) {
  const bundles = readdirSync(join(root, BUNDLES)).filter(
    (name) => IS_BUNDLE.test(name) && !NOT_RUN.test(name),
  );
  for (const name of bundles) copyFileSync(join(root, BUNDLES, name), join(folder, name));
  const esbuild = await import('esbuild');
  const { metafile } = await esbuild.build({ ...options, outdir: folder });
  const names = [...bundles, ...Object.keys(PACKAGES).map((name) => `${name}.package.cjs`)].sort();
  const bundled = JSON.parse(readFileSync(join(root, BUNDLES, 'inputs.json'), 'utf8'));
  return { names, inputs: [...bundled, ...Object.keys(metafile.inputs)] };
}

const options = {
  absWorkingDir: root,
  entryPoints: Object.entries(PACKAGES).map(([out, file]) => ({ in: file, out: `${out}.package` })),
  bundle: true,
  platform: 'node',
  target: 'node20.18',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  // Optional, and not installed.
  external: ['@napi-rs/nice'],
  metafile: true,
  logLevel: 'silent',
};
