import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SetupError } from '../lib/errors.mjs';
import { root } from '../lib/paths.mjs';
import { clearStamp, readStamp, sourcesOf, writeStamp } from '../lib/stamps.mjs';

const OUTPUT = 'dist/bundle';
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const fingerprint = () => {
  const sources = sourcesOf(
    'src',
    'packaging/steps/bundle.mjs',
    'packaging/lib/declarations.mjs',
    'node_modules/esbuild/package.json',
  );
  return `${version} ${sources}`;
};

/**
 * What is loaded as a whole: by node, by `new Worker`, or by an `import()` of another entry. Entries share no module
 * with each other, and so no state of a module.
 */
const ENTRIES = [
  'src/index.ts',
  'src/cli/main.ts',
  'src/cli/run-standalone.ts',
  'src/cli/run-broker.ts',
  'src/cli/run-namesrv.ts',
  'src/cli/run-health.ts',
  'src/cli/play/run-play.ts',
  'src/cli/play/mortal-threads.ts',
  'src/cli/log/run-log.ts',
  'src/cli/trace/run-trace.ts',
  'src/cli/admin/admin.ts',
  'src/cli/cluster/run-cluster.ts',
  'src/namesrv/name-server.ts',
  'src/threads/broker.ts',
  'src/threads/engine.thread.ts',
  'src/threads/network/network.thread.ts',
  'src/threads/jobs/jobs.thread.ts',
  'src/threads/replication/replication.thread.ts',
  'src/embed/control.thread.ts',
  'src/embed/run-control.ts',
];

/**
 * One file for each entry, side by side in dist/bundle: a thread that resolves, reads and compiles a hundred modules
 * takes three times as long to come up. CommonJS, because a thread that needs no ESM loader is ready 10 ms earlier.
 * Tests run the compiler's output, which is the same code module by module. Programs find the library through
 * packaging/entry, one state for `import` and `require`, and its type declarations in dist/types.
 */
export const bundle = {
  title: 'bundling',
  isDue: () => !existsSync(join(root, OUTPUT)) || readStamp('bundle') !== fingerprint(),
  async perform() {
    clearStamp('bundle');
    rmSync(join(root, OUTPUT), { recursive: true, force: true });
    const made = fingerprint();
    const { writeDeclarations } = await import('../lib/declarations.mjs');
    await Promise.all([build(), writeDeclarations()]);
    writeStamp('bundle', made);
  },
};

async function build() {
  const esbuild = await import('esbuild');
  try {
    const { metafile } = await esbuild.build({ ...options, entryPoints: ENTRIES });
    writeFileSync(join(root, OUTPUT, 'inputs.json'), JSON.stringify(Object.keys(metafile.inputs).sort()));
  } catch (error) {
    throw new SetupError(`${error.message}\nThe bundles could not be made; see above.`);
  } finally {
    // Its child process would live as long as the broker that this process becomes.
    await esbuild.stop();
  }
}

const options = {
  absWorkingDir: root,
  outdir: OUTPUT,
  entryNames: '[name]',
  bundle: true,
  platform: 'node',
  target: 'node20.18',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  // Loaded late or never; they stay what npm has installed.
  external: ['pino', 'piscina'],
  // `import.meta` and `import()` as CommonJS has them.
  define: {
    RINGMQ_BUNDLE: 'true',
    RINGMQ_VERSION: JSON.stringify(version),
    'import.meta.url': 'importMetaUrl',
  },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  supported: { 'dynamic-import': false },
  plugins: [
    {
      name: 'entries',
      setup({ onResolve }) {
        onResolve({ filter: /^\./ }, ({ kind, path }) =>
          kind === 'dynamic-import' ? { path: `./${basename(path, '.ts')}.cjs`, external: true } : undefined,
        );
      },
    },
  ],
  // Puts numbers in place of the constants that modules import: V8 reads those anew each time. Names stay as they are.
  minifySyntax: true,
  sourcemap: 'linked',
  sourcesContent: false,
  // What is in them is told by the bills of materials of what is made of them.
  metafile: true,
  logLevel: 'silent',
};
