/** Errors that are told as one sentence. */

/**
 * Something that the person at the keyboard can mend: shown as its sentence, without a stack. A subclass of another
 * name is one that may be over by itself.
 */
export class UserError extends Error {
  override name = 'UserError';
}

/** Whether the same start would fail again. By its name: bundles share no classes. */
export function isWrongUse(error: unknown): boolean {
  return error instanceof Error && error.name === 'UserError';
}
