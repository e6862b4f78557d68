// The tables of docs/mqadmin.md, made of those of the test. `node dist/test/interop/mqadmin/document.js` writes them.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repository } from '../support/paths.ts';
import { type Command, runsOf, type Status, statusOf } from './command.ts';
import { PAGES } from './console.ts';
import { COMMANDS } from './table.ts';

export const PAGE = join(repository, 'docs', 'mqadmin.md');
const BEGIN = (name: string): string => `<!-- ${name}: made by test/interop/mqadmin/document.ts -->`;
const END = '<!-- end -->';

/** By the name of its place in the page. */
export const tables: Readonly<Record<string, () => string>> = {
  counts: () =>
    [
      '| | same | differs | unsupported |',
      '|---|---|---|---|',
      `| ${COMMANDS.length} commands | ${counts(COMMANDS).join(' | ')} |`,
      `| ${PAGES.length} pages of rocketmq-dashboard | ${counts(PAGES).join(' | ')} |`,
    ].join('\n'),
  commands: () => {
    const sorted = [...COMMANDS].sort((a, b) => a.name.localeCompare(b.name, 'en'));
    const rows = sorted.map((one) => `| ${one.name} | ${said(one)} | ${runsOf(one).length} |`);
    return ['| command | status | command lines of the test |', '|---|---|---|', ...rows].join('\n');
  },
  pages: () => {
    const rows = PAGES.map((page) => {
      const calls = [...new Set(page.calls.map((call) => `\`${call.split(' ')[0]}\``))];
      return `| ${page.name} | ${said(page)} | ${calls.join(', ')} |`;
    });
    return ['| page | status | calls |', '|---|---|---|', ...rows].join('\n');
  },
};

type Subject = Pick<Command, 'differs' | 'unsupported'>;

function said(subject: Subject): string {
  const why = subject.unsupported ?? subject.differs;
  return why === undefined ? statusOf(subject) : `${statusOf(subject)}: ${why}`;
}

export function counts(subjects: readonly Subject[]): number[] {
  const statuses: readonly Status[] = ['same', 'differs', 'unsupported'];
  return statuses.map((status) => subjects.filter((one) => statusOf(one) === status).length);
}

/** The page with its tables as they are now. Throws when one has no place in it. */
export function withTables(page: string): string {
  let text = page;
  for (const [name, make] of Object.entries(tables)) {
    const begin = text.indexOf(BEGIN(name));
    const end = text.indexOf(END, begin);
    if (begin < 0 || end < 0) throw new Error(`docs/mqadmin.md has no place for the table ${name}`);
    text = `${text.slice(0, begin)}${BEGIN(name)}\n${make()}\n${text.slice(end)}`;
  }
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8')));
}
