// Markup that every reader takes in the same way.

const VOID: ReadonlySet<string> = new Set(['meta', 'br', 'hr']);

/** Why a page or picture is not well-formed: tags that do not fit, attributes without quotes; undefined when it is. */
export function isWellFormed(text: string): string | undefined {
  const open: string[] = [];
  const content = text.replace(/<!doctype html>/i, '').replace(/<style>[^<]*<\/style>/g, '');
  for (const [tag] of content.matchAll(/<[^>]*>/g)) {
    const match = /^<(\/?)([a-z0-9]+)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>$/i.exec(tag);
    if (match === null) return `no tag: ${tag}`;
    const [, closes, name = '', , empty] = match;
    if (closes === '/') {
      const last = open.pop();
      if (last !== name) return `</${name}> where <${last}> is open`;
    } else if (empty !== '/' && !VOID.has(name)) {
      open.push(name);
    }
  }
  const strayed = /&(?!(?:amp|lt|gt|quot|#39);)/.exec(content);
  if (strayed !== null) return `a lone & at ${content.slice(strayed.index, strayed.index + 20)}`;
  return open.length > 0 ? `left open: ${open.join(', ')}` : undefined;
}
