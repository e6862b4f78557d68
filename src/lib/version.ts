/** Which RingMQ this is, as `package.json` says. */
import { readFileSync } from 'node:fs';

/** From the bundle, from the compiler's output and from the sources. */
const PLACES = ['../../package.json', '../../../package.json'];

/** `0.1.0`; 'unknown' for a build that was moved away from its package. */
export function version(): string {
  for (const place of PLACES) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'));
      if (name === 'ringmq' && typeof version === 'string') return version;
    } catch {
      // Another build, another place.
    }
  }
  return 'unknown';
}
