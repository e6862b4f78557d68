/** Programmer errors stop the process: state that broke its own rules must not be written to disk. */
export class AssertionFailure extends Error {
  override name = 'AssertionFailure';
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

export function unreachable(message: string): never {
  throw new AssertionFailure(`unreachable: ${message}`);
}
