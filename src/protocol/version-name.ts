/**
 * Names of RocketMQ's versions (MQVersion): clients tell an ordinal. From 4.0.0 on every x.y.z has two, of which the
 * first is that of its snapshots; before, there is no rule.
 */
const FIRST_REGULAR = 212;
const FIRST_MAJOR = 4;
const PER_VERSION = 2;

/** `v5_5_0`, in the form that RocketMQ's metrics have it; `v3` for everything before 4.0.0. */
export function versionName(ordinal: number): string {
  if (ordinal < FIRST_REGULAR) return 'v3';
  const number = FIRST_MAJOR * 100 + Math.floor((ordinal - FIRST_REGULAR) / PER_VERSION);
  const isSnapshot = (ordinal - FIRST_REGULAR) % PER_VERSION === 0;
  const name = `v${Math.floor(number / 100)}_${Math.floor(number / 10) % 10}_${number % 10}`;
  return isSnapshot ? `${name}_snapshot` : name;
}
