/** How the members of a group share queues out: each reckons it for itself, by the rule that Java clients follow. */

/** The part of one member: an even share of consecutive queues, the first members get one more. */
export function shareOf<T>(queues: readonly T[], members: readonly string[], self: string): T[] {
  const at = members.indexOf(self);
  if (at < 0) return [];
  const [least, more] = [Math.floor(queues.length / members.length), queues.length % members.length];
  const from = at * least + Math.min(at, more);
  return queues.slice(from, from + least + (at < more ? 1 : 0));
}
