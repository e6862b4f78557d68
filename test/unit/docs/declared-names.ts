/** Whether a source file declares a name, as pages name it: `function`, `CONSTANT`, `Class`, `Class.method`. */

const NAME = /^#?[\w$]+$/;

/** What stands between a class's or interface's name and the end of its body, at the left margin. */
function bodyOf(text: string, name: string): string | undefined {
  const head = new RegExp(
    `^(?:export )?(?:abstract )?(?:class|interface|struct|const) ${escaped(name)}\\b`,
    'm',
  );
  const at = head.exec(text)?.index;
  if (at === undefined) return undefined;
  const end = /^\}/m.exec(text.slice(at))?.index ?? text.length;
  return text.slice(at, at + end);
}

function escaped(name: string): string {
  return name.replaceAll(/[$.#]/g, '\\$&');
}

export function declares(file: string, text: string, name: string): boolean {
  const [owner = '', member, ...more] = name.split('.');
  if (more.length > 0 || !NAME.test(owner) || (member !== undefined && !NAME.test(member))) return false;
  if (!file.endsWith('.ts')) return declaresInCpp(text, owner, member);
  if (member === undefined) {
    const kinds = 'function|class|interface|const|let|type';
    return new RegExp(
      `^(?:export )?(?:async )?(?:abstract )?(?:${kinds})\\*? ${escaped(owner)}(?![\\w$])`,
      'm',
    ).test(text);
  }
  const body = bodyOf(text, owner);
  const words = '(?:(?:readonly|static|async|get|set|override) )*';
  return (
    body !== undefined &&
    new RegExp(`^  ${words}\\*?${escaped(member)}(?![\\w$])\\s*[(:?=;<,]`, 'm').test(body)
  );
}

/** A type, or a function or constant with its type in front of it. */
function declaresInCpp(text: string, owner: string, member: string | undefined): boolean {
  if (member !== undefined) return declaresInCpp(text, member, undefined);
  const type = new RegExp(`\\b(?:class|struct) ${escaped(owner)}\\b`);
  const value = new RegExp(
    `^[ \\t]*(?!return\\b|throw\\b)[\\w:<>*&]+(?:[ \\t]+[\\w:<>*&]+)*[ \\t*&]+(?:\\w+::)*${escaped(owner)}\\s*[({=]`,
    'm',
  );
  return type.test(text) || value.test(text);
}
