/**
 * `npm test`: node packaging/test.mjs [group...] [--full]
 *
 * Every test file runs in a process of its own under a time limit. The last line is `N passed, N failed`; the exit
 * code is 1 when something failed, when a file ended without a summary, or when no test ran. `--full` sets
 * RINGMQ_TEST_FULL=1, by which tests choose more seeds and longer runs, and adds the groups that take long.
 */
import { runCommand, SetupError } from './lib/errors.mjs';
import { killRunning, readSummary, runLimited } from './lib/test-file.mjs';
import { chosenGroups, groups, testFiles } from './lib/test-groups.mjs';
import { setup } from './setup.mjs';
import { CompileError } from './steps/typescript.mjs';

/**
 * V8 of Node.js 20 may not let a process end while it compiles in the background: the compiler waits for a collection by
 * the main thread, which waits for the compiler. One in a hundred short tests on a loaded machine never ended.
 */
const NODE_OPTIONS = ['--enable-source-maps', '--no-concurrent-recompilation'];

const totals = { passed: 0, failed: 0, skipped: 0, files: 0 };

await runCommand(async () => {
  const start = performance.now();
  const { chosen, full } = readArguments(process.argv.slice(2));
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      killRunning();
      process.exit(1);
    });
  }
  await setUp();
  for (const group of chosen) await runGroup(group, full ? { RINGMQ_TEST_FULL: '1' } : {});
  if (totals.files === 0 && chosen.some((group) => group !== 'lint')) fail('no test files found');
  console.log(`${seconds((performance.now() - start) / 1000)} in total`);
  console.log(summaryLine());
  if (totals.failed > 0 || totals.passed === 0) process.exitCode = 1;
});

function readArguments(args) {
  const names = args.filter((argument) => argument !== '--full');
  const unknown = names.filter((name) => !Object.hasOwn(groups, name));
  if (unknown.length > 0) {
    throw new SetupError(
      `There is no test group ${unknown.join(', ')}; groups are ${Object.keys(groups).join(', ')}.`,
    );
  }
  const full = args.includes('--full');
  return { chosen: chosenGroups(names, full), full };
}

/** The compiler writes its output in spite of type errors: they fail the run, but the tests can still say more. */
async function setUp() {
  try {
    await setup({ dev: true });
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    fail(error.message);
  }
}

async function runGroup(group, env) {
  if (group === 'lint') return runLint();
  const waiting = testFiles(group);
  totals.files += waiting.length;
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      await runFile(file, groups[group].limitSeconds, env);
    }
  };
  await Promise.all(Array.from({ length: groups[group].parallel }, worker));
}

async function runLint() {
  const result = await runLimited('node_modules/.bin/biome', ['check', '.'], groups.lint);
  if (result.code !== 0) return fail(`${result.output}\nlint: biome found something, see above`);
  totals.passed += 1;
  console.log(`ok      lint (${seconds(result.seconds)})`);
}

async function runFile(file, limitSeconds, env) {
  const result = await runLimited(process.execPath, [...NODE_OPTIONS, file], { limitSeconds, env });
  const { passed, failed, skipped, problem } = readSummary(result, limitSeconds);
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
  const name = file.replace(/^dist\/test\//, '').replace(/\.test\.js$/, '');
  const counts = [
    `${passed} passed`,
    failed > 0 && `${failed} failed`,
    skipped > 0 && `${skipped} skipped`,
    problem,
  ];
  if (failed > 0) console.log(result.output);
  console.log(
    `${failed > 0 ? 'FAILED ' : 'ok     '} ${name}: ${counts.filter(Boolean).join(', ')} (${seconds(result.seconds)})`,
  );
  for (const [, reason] of result.output.matchAll(/skipped: (.+)/g))
    console.log(`        skipped: ${reason}`);
}

function fail(message) {
  console.log(message);
  totals.failed += 1;
}

function seconds(number) {
  return `${number.toFixed(1)} s`;
}

function summaryLine() {
  const { passed, failed, skipped } = totals;
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
