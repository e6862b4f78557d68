/**
 * Where a message lies until it is due: half messages in the half topic, those with a delay level or a time parked in
 * topics of their own. What clients send takes this form before it is put; what is delivered has had it.
 */
import type { BrokerSettings } from '../metadata/settings.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { SYS_TRANSACTION_COMMIT, SYS_TRANSACTION_MASK } from '../record/layout.ts';
import type { DelayLevels } from './delay/levels.ts';
import { delayLevelOf, delayProblem, rewriteForDelay } from './delay/rewrite.ts';
import { rewriteForTimer, TIMER_PROPERTIES, type TimerRules, timeProblem } from './timer/rewrite.ts';
import { halfOf, isHalf } from './transaction/half-message.ts';

export interface WaitingRules extends TimerRules {
  /** Delay levels that there are. */
  maxDelayLevel: number;
  rejectTransactionMessage: boolean;
  /** Advertised address of the broker, without port. */
  brokerIp: string;
}

/** What the configuration says. */
export function waitingRules(settings: BrokerSettings, levels: DelayLevels): WaitingRules {
  const { timerWheelEnable, timerMaxDelaySec, timerPrecisionMs, rejectTransactionMessage } = settings;
  const timers = { timerWheelEnable, timerMaxDelaySec, timerPrecisionMs };
  return { ...timers, rejectTransactionMessage, maxDelayLevel: levels.max, brokerIp: settings.brokerIP1 };
}

export interface Waitable {
  topic: string;
  queueId: number;
  sysFlag: number;
  reconsumeTimes: number;
  properties: Map<string, string>;
}

export interface Refusal {
  readonly code: number;
  readonly remark: string;
}

/** Why a client's message cannot be taken; undefined when it can. */
export function waitingProblem(
  message: Pick<Waitable, 'properties' | 'reconsumeTimes'>,
  rules: WaitingRules,
  now: number,
): Refusal | undefined {
  const { properties } = message;
  const problem = delayProblem(properties, rules.maxDelayLevel);
  if (problem !== undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: problem };
  if (isPrepared(message) && rules.rejectTransactionMessage) {
    const remark = `the broker[${rules.brokerIp}] sending transaction message is forbidden`;
    return { code: ResponseCode.NO_PERMISSION, remark };
  }
  if (delayLevelOf(properties) > 0 || !TIMER_PROPERTIES.some((name) => properties.has(name)))
    return undefined;
  if (!rules.timerWheelEnable) {
    const remark = 'accurate timer message is not enabled, timerWheelEnable is false';
    return { code: ResponseCode.SYSTEM_ERROR, remark };
  }
  const wrongTime = timeProblem(properties, rules, now);
  return wrongTime === undefined ? undefined : { code: ResponseCode.MESSAGE_ILLEGAL, remark: wrongTime };
}

/** A client's message, without problem, as it has to be put. The given one is not changed. */
export function waitingForm<M extends Waitable>(message: M, rules: WaitingRules, now: number): M {
  return isPrepared(message) ? halfOf(message) : laterForm(message, rules, now);
}

/** The same of a message that is no half one (any more). */
export function laterForm<M extends Waitable>(message: M, rules: WaitingRules, now: number): M {
  const delayed = rewriteForDelay(message, rules.maxDelayLevel);
  return delayed === message ? rewriteForTimer(message, rules, now) : delayed;
}

/** Consumers give transactional messages back with all their properties: those are delayed, and no half ones. */
function isPrepared({
  properties,
  reconsumeTimes,
}: Pick<Waitable, 'properties' | 'reconsumeTimes'>): boolean {
  return isHalf(properties) && !(reconsumeTimes > 0 && delayLevelOf(properties) > 0);
}

/**
 * The system flag of a message of a client. What says that it is prepared or rolled back is taken off: only TRAN_MSG
 * makes a half message, and nobody would ever see one that lies in its own topic with such a flag.
 */
export function sentSysFlag(sysFlag: number): number {
  const isOrdinary = (sysFlag & SYS_TRANSACTION_MASK) === SYS_TRANSACTION_COMMIT;
  return isOrdinary ? sysFlag : sysFlag & ~SYS_TRANSACTION_MASK;
}
