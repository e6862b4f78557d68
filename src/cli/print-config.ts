/** `-p`: what the configuration comes to, as lines that a broker.conf takes. */

import { LiveProperties } from '../config/live-properties.ts';
import type { LoadedBroker } from '../config/load.ts';
import { formatJavaProperties } from '../lib/java-properties.ts';

export function printConfig(loaded: LoadedBroker): void {
  for (const warning of loaded.warnings) process.stderr.write(`${warning}\n`);
  process.stdout.write(formatJavaProperties(new LiveProperties(loaded.values, undefined).all()));
}
