/** Bodies that show a whole table: they are built once for each of its states, however often they are asked for. */
import { writeRocketJson } from '../../protocol/rocketmq-json.ts';

interface Built {
  revision: number;
  body: Uint8Array;
}

export interface Revised {
  /** Another number after each change. */
  readonly revision: number;
}

/** Newest body by table; a table has one. It goes into answers as it is: nobody may write to it. */
const bodies = new WeakMap<Revised, Built>();

/** JSON of what `build` returns, UTF-8. `build` is called when the table has changed since the last time. */
export function builtOnce(table: Revised, build: () => unknown): Uint8Array {
  const known = bodies.get(table);
  if (known?.revision === table.revision) return known.body;
  const { revision } = table;
  const body = Buffer.from(writeRocketJson(build()), 'utf8');
  bodies.set(table, { revision, body });
  return body;
}
