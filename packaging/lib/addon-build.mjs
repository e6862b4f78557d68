import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import loader from '../../native/load.cjs';
import { SetupError, troubleIn } from './errors.mjs';
import { environmentWithout, run } from './exec.mjs';
import { root } from './paths.mjs';

/** What node-gyp reads; linked into the folder in which it builds. */
const SOURCES = ['binding.gyp', 'native'];

/**
 * Builds the addon in a folder aside, where objects stay for the next time, and renames it into its place when it is
 * whole and loads: whatever interrupts a build, the addon that was there before goes on to work.
 */
export class AddonBuild {
  #folder;
  #stage;
  #note;

  /** `folder` is the package; another one is for tests. */
  constructor(folder = root) {
    this.#folder = folder;
    this.#stage = join(folder, '.cache/addon');
    this.#note = join(this.#stage, 'whole-for');
  }

  /** `progress` is told how many files are compiled. */
  async perform(gypScript, progress) {
    this.#prepare();
    const count = countFiles(join(this.#folder, 'binding.gyp'));
    let compiled = 0;
    if (progress) progress.detail = () => `${compiled} of ${count} files compiled`;
    const onOutput = (chunk) => {
      compiled += chunk.match(/^ *CXX\b/gm)?.length ?? 0;
    };
    for (const command of ['configure', 'build']) await this.#gyp(gypScript, command, onOutput);
    await this.#install();
    writeFileSync(this.#note, loader.target());
  }

  /** Objects count only after a build that came to its end, and for the machine that made them. */
  #prepare() {
    if (readNote(this.#note) !== loader.target()) rmSync(this.#stage, { recursive: true, force: true });
    rmSync(this.#note, { force: true });
    mkdirSync(this.#stage, { recursive: true });
    for (const source of SOURCES) {
      rmSync(join(this.#stage, source), { force: true });
      symlinkSync(join('../..', source), join(this.#stage, source));
    }
  }

  async #gyp(script, command, onOutput) {
    // Relative, as make breaks a path at its blanks.
    const nodedir = relative(this.#stage, join(root, 'packaging/nodedir'));
    const args = [script, command, `--nodedir=${nodedir}`, '--jobs=max', '--loglevel=warn'];
    // npm hands its user settings down by the environment, and there they win over the command line.
    const env = environmentWithout(/^npm_/i);
    const { ok, output } = await run(process.execPath, args, { env, cwd: this.#stage, onOutput });
    if (!ok)
      throw new SetupError(
        `${output}\n${troubleIn(output) ?? 'The native addon does not build; see above.'}`,
      );
  }

  async #install() {
    const built = join(this.#folder, loader.BUILT);
    const fresh = join(dirname(built), 'ringmq.fresh.node');
    mkdirSync(dirname(built), { recursive: true });
    // A copy: the next build may write into the file that the linker made.
    copyFileSync(join(this.#stage, loader.BUILT), fresh);
    const { ok, output } = await run(process.execPath, ['-p', `typeof require(${JSON.stringify(fresh)})`]);
    if (!ok) throw new SetupError(`${output}\nThe native addon was built but does not load; see above.`);
    renameSync(fresh, built);
  }
}

function readNote(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function countFiles(gypFile) {
  return readFileSync(gypFile, 'utf8').match(/"native\/\w+\.cc"/g)?.length ?? 0;
}
