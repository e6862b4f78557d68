/** Texts of others inside sentences of ours: a short head is enough to recognize them by. */

/** Most characters of a foreign text that a remark or a log line repeats. */
const QUOTED = 64;

/** `text` if it is short, else its head and how long it is. Never ends inside a surrogate pair. */
export function quote(text: string, longest = QUOTED): string {
  if (text.length <= longest) return text;
  const unit = text.charCodeAt(longest - 1);
  const end = unit >= 0xd800 && unit < 0xdc00 ? longest - 1 : longest;
  // Copied: a slice would keep the whole text alive for as long as the remark or line is.
  const head = Buffer.from(text.slice(0, end)).toString();
  return `${head}... (${text.length} characters)`;
}
