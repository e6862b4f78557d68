/**
 * A page of the tour, taken apart: what it links, names, quotes, measures and has run. docs/tour/README.md says how the
 * pages are written.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { PROJECT } from '../../support/markdown-pages.ts';

/** A fenced block: `sh`, `console`, `text`, or a language with the file that is quoted. */
export interface Fenced {
  info: string;
  text: string;
}

/** Names that stand behind the link to a source file. */
export interface Named {
  file: string;
  names: string[];
}

export interface Section {
  title: string;
  text: string;
}

export interface TourPage {
  /** From the project folder. */
  path: string;
  /** What stands between the title and all else. */
  beginning: string;
  /** In the order of the page; the first one has no title and holds what stands before the first heading. */
  sections: Section[];
  blocks: Fenced[];
  /** Where links lead, from the project folder and without anchors; other sites are left out. */
  links: string[];
  /** Texts of links that look like paths, and where they lead. */
  pathLinks: { text: string; target: string }[];
  named: Named[];
  /** All code spans. */
  spans: string[];
  /** Numbers in bold type, each with the pages that its paragraph links. */
  figures: Figure[];
}

export interface Figure {
  number: string;
  pages: string[];
}

const FENCE = /^```(.*)\n([\s\S]*?)^```$/gm;
const LINK = /\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)/g;
const SPAN = /`([^`]+)`/g;
const BOLD = /\*\*([^*]+)\*\*/g;
/** Items of a list are paragraphs too. */
const PARAGRAPHS = /\n\n|\n(?=- |\d+\. )/;
const NUMBER = /\d[\d.,]*\d|\d/g;
/** Behind a link: names in brackets, or behind a comma where the link stands in brackets itself. */
const NAMES = /^(?:\s*[(（]|[,，、]\s*)((?:`[^`]+`(?:[,，、]\s*)?)+)/;

export function readTourPage(path: string): TourPage {
  return tourPage(path, readFileSync(join(PROJECT, path), 'utf8'));
}

export function tourPage(path: string, text: string): TourPage {
  const prose = text.replaceAll(FENCE, '');
  const found = [...prose.matchAll(LINK)];
  const inProject = found.filter(([, , link]) => !/^[a-z]+:/.test(link as string));
  const targets = inProject.map(([, , link]) => targetOf(path, link as string));
  return {
    path,
    beginning: prose.replace(/^# .*\n\s*/, '').split('\n\n')[0] ?? '',
    sections: sectionsOf(prose),
    blocks: [...text.matchAll(FENCE)].map(([, info, body]) => ({
      info: (info as string).trim(),
      text: body as string,
    })),
    links: targets,
    pathLinks: inProject.flatMap(([, words], i) =>
      /^[\w.-]+(?:\/[\w.-]+)+$/.test(words as string)
        ? [{ text: words as string, target: targets[i] as string }]
        : [],
    ),
    named: inProject.flatMap((match, i) => {
      const behind = prose.slice((match.index as number) + match[0].length);
      const names = NAMES.exec(behind)?.[1];
      if (names === undefined) return [];
      return [{ file: targets[i] as string, names: spansOf(names) }];
    }),
    spans: spansOf(prose),
    figures: prose.split(PARAGRAPHS).flatMap((part) => figuresOf(path, part)),
  };
}

function figuresOf(path: string, paragraph: string): Figure[] {
  const links = [...paragraph.matchAll(LINK)].map(([, , link]) => targetOf(path, link as string));
  const pages = links.filter((link) => link.endsWith('.md'));
  const numbers = [...paragraph.matchAll(BOLD)].flatMap(([, bold]) => (bold as string).match(NUMBER) ?? []);
  return numbers.map((number) => ({ number, pages }));
}

function targetOf(page: string, link: string): string {
  const [path = ''] = link.split('#');
  return path === '' ? page : normalize(join(dirname(page), path)).replace(/\/$/, '');
}

function spansOf(text: string): string[] {
  return [...text.matchAll(SPAN)].map(([, span]) => (span as string).replaceAll(/\s+/g, ' '));
}

function sectionsOf(prose: string): Section[] {
  return prose.split(/^## /m).map((part, i) => {
    const [title = '', ...rest] = i === 0 ? ['', part] : part.split('\n');
    return { title: title.trim(), text: rest.join('\n') };
  });
}

/** Whether a block is a drawing: boxes, arrows, bars. */
export function isDrawing({ info, text }: Fenced): boolean {
  return info === 'text' && /[─│┌└├▶◀█▓]|\+--|-->/.test(text);
}

/** The file that a block quotes, or undefined. */
export function quotedFile({ info }: Fenced): string | undefined {
  return /^\w+ quote="([^"]+)"$/.exec(info)?.[1];
}

/** The first line of the quotation that the source lacks, from where the line before was found; `…` is any lines. */
export function misquoted(quotation: string, source: string): string | undefined {
  const lines = source.split('\n').map((line) => line.trim());
  let at = 0;
  let anywhere = true;
  for (const line of quotation.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    if (line === '…') {
      anywhere = true;
      continue;
    }
    const found = anywhere ? lines.indexOf(line, at) : lines[at] === line ? at : -1;
    if (found === -1) return line;
    at = found + 1;
    anywhere = false;
  }
  return undefined;
}

/** Command lines of the blocks that are run, each without its prompt; a line that ends in `\` goes on. */
export function commandsOf({ blocks }: TourPage): string[] {
  return blocks.flatMap(({ info, text }) => {
    const lines = text.replaceAll('\\\n', ' ').split('\n');
    if (/^sh\b/.test(info)) return lines.filter((line) => line.trim() !== '');
    if (!/^console\b/.test(info)) return [];
    return lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
  });
}

/** The page in the other language, or of it: `docs/tour/zh/NAME` and `docs/tour/NAME` are the same place. */
export function inEnglish(path: string): string {
  const name = relative('docs/tour/zh', path);
  return name.startsWith('..') ? path : join('docs/tour', name);
}
