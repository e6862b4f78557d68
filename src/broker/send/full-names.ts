/**
 * Sends that control handles, with the names of their fields written out: clients of today name them by single letters.
 */
import { RequestCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { LONG_NAMES } from './send-fields.ts';

const LETTER_A = 0x61;
const LETTERS: readonly (readonly [letter: string, name: string])[] = LONG_NAMES.map((name, place) => [
  String.fromCharCode(LETTER_A + place),
  name,
]);

/** Whether a send names its fields in full. */
export function namesInFull(code: number): boolean {
  return code === RequestCode.SEND_MESSAGE || code === RequestCode.SEND_REPLY_MESSAGE;
}

/** Fields that no send has are left out. */
export function withFullNames(request: RemotingCommand): RemotingCommand {
  if (namesInFull(request.code)) return request;
  const fields: Record<string, string> = Object.create(null);
  for (const [letter, name] of LETTERS) {
    const value = request.fields[letter];
    if (value !== undefined) fields[name] = value;
  }
  return { ...request, fields };
}
