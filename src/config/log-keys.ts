/** Keys of what the log tells. Where it goes is the environment's (RINGMQ_LOG_FILE and others). */
import type { LogLevel } from '../lib/log.ts';
import { choice, type Domain, flag, integer } from './key.ts';
import { listener } from './key-makers.ts';
import { OWN_PREFIX } from './unsupported.ts';

export const AUDIT_LOG_KEY = `${OWN_PREFIX}auditLog` as const;
export const LOG_LEVEL_KEY = `${OWN_PREFIX}logLevel` as const;

/** `''` = as RINGMQ_LOG_LEVEL says. */
export const logLevel: Domain<LogLevel | ''> = {
  ...choice<LogLevel | ''>('error', 'warn', 'info', ''),
  allowed: 'error, warn or info; nothing = as the environment says',
};

/** Less would be told of all the time. */
const LEAST_SLOW_MS = 10;
const slowMillis: Domain<number> = {
  allowed: `${LEAST_SLOW_MS} to 3600000, or 0`,
  parse: (text) => (/^0+$/.test(text) ? 0 : integer(LEAST_SLOW_MS, 3_600_000).parse(text)),
};

export const logKeyList = [
  listener(
    'logLevel',
    logLevel,
    'Lines from this level on are written; may be changed while the broker runs.',
    {
      name: LOG_LEVEL_KEY,
      defaultText: 'environment variable RINGMQ_LOG_LEVEL, else info',
      changeable: true,
    },
  ),
  listener(
    'auditLog',
    flag,
    'Who changes something by an administrative request has a line in the log, at any level; may be changed while the broker runs.',
    { name: AUDIT_LOG_KEY, changeable: true },
  ),
  listener(
    'slowOperationMillis',
    slowMillis,
    'A step that takes longer has a line in the log, which says which one it was; 0 = none has.',
    { name: `${OWN_PREFIX}slowOperationMillis` },
  ),
];
