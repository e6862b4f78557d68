// What two runs of a command cannot have in common is masked: times, ports, ids, rates, paths. Columns, words and
// counts stay.

import type { Mask, Run } from './command.ts';

/** In their order: what stands first is looked for first. */
const MASKS: readonly Mask[] = [
  [/^\s+at [^\n]*\n/gm, ''],
  [/^\s+\.\.\. \d+ more\n/gm, ''],
  // The tools add the second line to errors that do not end with the first one.
  [/^(?:See http\S+ for further details\.|For more information, please visit the url, .*)$/gm, '<advice>'],
  [/\[?\/?\b(?:127\.0\.0\.1|localhost):\d+/g, '<address>'],
  [/\b(?:\d+\.){3}\d+@[\w#]+/g, '<client>'],
  [/\b127\.0\.0\.1\b/g, '<host>'],
  [/\b[0-9A-F]{32}(?![0-9A-F])/g, '<id>'],
  [/\b\d{4}-\d\d-\d\d[ #T]\d\d:\d\d:\d\d(?:[,.:]\d{3})?/g, '<time>'],
  [/\b(\w*Tps\s*: ).*/g, '$1<rates>'],
  [/-?\b\d+\.\d+(?:E-?\d+)?/g, '<decimal>'],
  [/\b20\d{12}(?:\d{3})?\b/g, '<time>'],
  [/\b1[6-9]\d{11}\b/g, '<ms>'],
  [/\b\d+ms\b/g, '<span>'],
  [/@[0-9a-f]{5,8}\b/g, '@<hash>'],
  [/\$\$Lambda\$\S+?@/g, '$$$$Lambda@'],
  [/[ \t]{2,}/g, '  '],
  [/[ \t]+$/gm, ''],
];

export function normalise(text: string, run: Run, scene: ReadonlyMap<string, string>): string[] {
  let masked = text.replaceAll('\r\n', '\n');
  for (const [name, value] of scene) masked = masked.replaceAll(value, `<${name}>`);
  for (const [pattern, replacement] of [...(run.masks ?? []), ...MASKS]) {
    masked = masked.replace(pattern, replacement);
  }
  const lines = masked.split('\n');
  while (lines.at(-1) === '') lines.pop();
  return run.unordered === true ? lines.sort() : lines;
}
