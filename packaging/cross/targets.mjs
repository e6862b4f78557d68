/** The machines that addons and executables are made for without being there. */
import { SetupError } from '../lib/errors.mjs';

/**
 * By what native/load.cjs calls them. `triple` is the compiler's word for it: glibc 2.28 is what Node.js 20 and later
 * ask for themselves. `headers` are its folders of system headers, for what is compiled without a C library.
 */
const TARGETS = {
  'linux-x64-glibc': { triple: 'x86_64-linux-gnu.2.28', headers: ['x86-linux-any', 'x86_64-linux-gnu'] },
  'linux-arm64-glibc': {
    triple: 'aarch64-linux-gnu.2.28',
    headers: ['aarch64-linux-any', 'aarch64-linux-gnu'],
  },
  'linux-x64-musl': { triple: 'x86_64-linux-musl', headers: ['x86-linux-any', 'x86_64-linux-musl'] },
  'linux-arm64-musl': { triple: 'aarch64-linux-musl', headers: ['aarch64-linux-any', 'aarch64-linux-musl'] },
};

export const targetNames = Object.keys(TARGETS);

/** `linux-arm64` is taken for the one with glibc. */
export function targetOf(text) {
  const name = Object.hasOwn(TARGETS, `${text}-glibc`) ? `${text}-glibc` : text;
  if (!Object.hasOwn(TARGETS, name))
    throw new SetupError(`There is no target ${text}; targets are ${targetNames.join(', ')}.`);
  const [system, processor, libc] = name.split('-');
  // As packaging/binary/runtime.json calls it.
  const machine = libc === 'musl' ? name : `${system}-${processor}`;
  return { name, libc, machine, ...TARGETS[name] };
}

/** The value of `--target` of a command, which takes nothing else; undefined when it is not given. */
export function targetArgument(args) {
  if (args.length === 0) return undefined;
  const [, value] = /^--target=(.+)$/.exec(args[0]) ?? [
    undefined,
    args[0] === '--target' ? args[1] : undefined,
  ];
  const count = args[0] === '--target' ? 2 : 1;
  if (value === undefined || args.length !== count)
    throw new SetupError(
      `This command takes --target NAME and nothing else; targets are ${targetNames.join(', ')}.`,
    );
  return targetOf(value);
}
