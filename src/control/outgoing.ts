/** Notices that the broker sends to its clients and that nobody answers. */
import { FLAG_ONEWAY, type RemotingCommand, requestCommand } from '../protocol/command.ts';

/** With a JSON header: C++ clients understand nothing else. */
export function newOnewayRequest(
  code: number,
  fields: Record<string, string>,
  body?: Uint8Array,
): RemotingCommand {
  return { ...requestCommand(code, fields, body), flag: FLAG_ONEWAY };
}
