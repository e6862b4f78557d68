/** What could not be done, as the sentence that the person gets; the command ends with 1. */
import { responseName } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { RemotingError } from '../../remoting/errors.ts';

export class Failure extends Error {
  override readonly name = 'Failure';
}

/** A server has answered, and not with what was asked for. */
export class Refused extends Failure {
  readonly code: number;

  constructor(who: string, what: string, answer: Pick<RemotingCommand, 'code' | 'remark'>) {
    const reason = remarkOf(answer.remark);
    super(`${who} refused to ${what}: ${reason === '' ? '' : `${reason} `}(${responseName(answer.code)}).`);
    this.code = answer.code;
  }
}

/** Remarks of RocketMQ may hold the stack of an exception, and where its documentation is. */
function remarkOf(remark = ''): string {
  const [first = ''] = remark.split(/\n| See https?:/);
  return first.trim().replace(/[.,]+$/, '');
}

/** Why a question to `who` got no answer, in a few words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : undefined;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause?.message ?? error.message;
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof RemotingError && error.code === 'CONNECT';
}
