/** Errors that are told as one sentence. */

/** Something that the person at the keyboard can mend: shown as its sentence, without a stack. */
export class UserError extends Error {
  override name = 'UserError';
}
