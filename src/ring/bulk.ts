/** Bytes that several threads see: a native region, or plain memory when everything runs in one thread. */
import type { Bytes } from '../lib/copy-words.ts';
import { addon } from '../native/addon.ts';

export interface Bulk extends Bytes {
  /** Region id for the addon's calls; 0 when the memory is plain. */
  readonly region: number;
}

export function attachBulk(region: number): Bulk {
  const buffer = addon.attach(region);
  return { region, bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

/** Memory that only this thread sees, for inline runs and tests. */
export function plainBulk(bytes: number): Bulk {
  const buffer = new ArrayBuffer(bytes);
  return { region: 0, bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}
