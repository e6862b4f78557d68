// The fenced blocks of a Markdown page, and what their info strings ask for. GitHub shows the first word's language and
// ignores the rest:
//
//   ```java Hello.java       write this file
//   ```sh                    run by `bash -e`; must end with 0
//   ```sh server             start it, wait until it is ready, keep it until the page ends
//   ```sh until="words"      run it until its output has these words, then Ctrl-C
//   ```console               lines after `$` are run, and what they print must look like the lines below; where a page
//                            shows nothing they must end with 0
//   ```console server        a server, and what it prints until it is ready
//   ```text                  shown only; may hold no commands
//   ```ts quote="src/x.ts"   lines of that file (test/unit/docs/tour)
//   ```json                  shown only; must be JSON, the whole of it or each line

import { readFileSync } from 'node:fs';

export interface Block {
  /** `README.md:12`, of the line that opens it. */
  readonly place: string;
  readonly language: string;
  readonly directive: Directive;
  readonly text: string;
}

export type Directive =
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'run' }
  | { readonly kind: 'server' }
  | { readonly kind: 'until'; readonly words: string }
  | { readonly kind: 'console' }
  | { readonly kind: 'console server' }
  | { readonly kind: 'text' };

const FENCE = /^( *)(`{3,})([^`]*)$/;

export function blocksOf(path: string, page: string): Block[] {
  const blocks: Block[] = [];
  const lines = readFileSync(path, 'utf8').split('\n');
  for (let at = 0; at < lines.length; at++) {
    const [, indent = '', fence = '', info = ''] = FENCE.exec(lines[at] as string) ?? [];
    if (fence === '') continue;
    const begin = at + 1;
    const end = lines.findIndex((line, i) => i >= begin && line.trim() === fence);
    if (end === -1) throw new Error(`${page}:${begin}: the block is not closed`);
    const text = lines.slice(begin, end).map((line) => line.slice(indent.length));
    blocks.push(blockOf(`${page}:${begin}`, info.trim(), `${text.join('\n')}\n`));
    at = end;
  }
  return blocks;
}

function blockOf(place: string, info: string, text: string): Block {
  const [language = '', ...rest] = info.split(/\s+/);
  return { place, language, directive: directiveOf(place, language, rest.join(' '), text), text };
}

function directiveOf(place: string, language: string, rest: string, text: string): Directive {
  const words = /^until="([^"]+)"$/.exec(rest)?.[1];
  if (language === 'sh' && rest === '') return { kind: 'run' };
  if (language === 'sh' && rest === 'server') return { kind: 'server' };
  if (language === 'sh' && words !== undefined) return { kind: 'until', words };
  if (language === 'console' && rest === '') return { kind: 'console' };
  if (language === 'console' && rest === 'server') return { kind: 'console server' };
  if (language === 'text' && rest === '') return textOnly(place, text);
  if (/^quote="[\w./-]+"$/.test(rest)) return { kind: 'text' };
  if (language === 'json' && rest === '') return jsonOnly(place, text);
  if (!['', 'sh', 'console', 'text'].includes(language) && /^[\w./-]+$/.test(rest))
    return { kind: 'file', name: rest };
  throw new Error(`${place}: nobody runs the block "${language} ${rest}"; see test/newcomer/support/page.ts`);
}

function jsonOnly(place: string, text: string): Directive {
  const isJson = (one: string): boolean => {
    try {
      JSON.parse(one);
      return true;
    } catch {
      return false;
    }
  };
  if (isJson(text) || text.trim().split('\n').every(isJson)) return { kind: 'text' };
  throw new Error(`${place}: this is not JSON`);
}

/** Whoever would have a command shown without being tested has to list it with its reason. */
const COMMAND =
  /^\s*(?:\$ |(?:sudo |[A-Z_]+=\S+ )*(?:npm|npx|node|ringmq|mq\w+|apt-get|systemctl|mvn|go|git|cp|curl) )/m;

function textOnly(place: string, text: string): Directive {
  const command = COMMAND.exec(text)?.[0];
  if (command === undefined) return { kind: 'text' };
  throw new Error(`${place}: a command in a block that is only shown: ${command.trim()}`);
}
