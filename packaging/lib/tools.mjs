import { SetupError } from './errors.mjs';
import { isInstalled } from './exec.mjs';

const OLDEST_NODE = [20, 18];

export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new SetupError(
    `RingMQ needs Node.js ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`,
  );
}

/** What node-gyp calls; `CXX`, `MAKE` and `PYTHON` may name others. */
export function requireCompiler() {
  const tools = [
    ['g++', 'CXX'],
    ['make', 'MAKE'],
    ['python3', 'PYTHON'],
  ];
  const missing = tools.filter(([tool, variable]) => !process.env[variable] && !isInstalled(tool));
  if (missing.length === 0) return;
  const names = missing.map(([tool]) => tool);
  throw new SetupError(
    `The native addon cannot be built without ${names.join(', ')}: sudo apt-get install -y ${names.join(' ')}`,
  );
}
