/** The version of this build, as package.json has it. */
import { readFileSync } from 'node:fs';

/** Defined by packaging/steps/bundle.mjs; nowhere else. */
declare const RINGMQ_VERSION: string | undefined;

/** From dist/src/lib, where the compiler puts this file. */
function fromPackage(): string {
  return JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version;
}

export const VERSION = typeof RINGMQ_VERSION === 'undefined' ? fromPackage() : RINGMQ_VERSION;
