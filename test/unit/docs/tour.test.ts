/**
 * The tour says what is true of the code: every file, name, command, option, lab, quotation and figure of docs/tour is
 * looked up, each chapter has its parts, and both languages say the same.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LAB_NAMES, parseLabOptions } from '../../../bench/labs/lib/options.ts';
import { PROJECT } from '../../support/markdown-pages.ts';
import { readProjectFile } from '../../support/source-files.ts';
import { declares } from './declared-names.ts';
import {
  commandsOf,
  inEnglish,
  isDrawing,
  misquoted,
  quotedFile,
  readTourPage,
  type TourPage,
  tourPage,
} from './tour-page.ts';

const test = suite('tour');

const TOUR = 'docs/tour';
const CHINESE = `${TOUR}/zh`;
const INDEX = 'README.md';
const CHAPTERS = 10;

const names = pagesIn(TOUR);
const chapters = names.filter((name) => name !== INDEX);
const english = names.map((name) => readTourPage(`${TOUR}/${name}`));
/** None before the last of them is there: they are written after the English ones. */
const chinese = names.every((name) => existsSync(join(PROJECT, CHINESE, name)))
  ? names.map((name) => readTourPage(`${CHINESE}/${name}`))
  : [];
const pages = [...english, ...chinese];

function pagesIn(folder: string): string[] {
  return readdirSync(join(PROJECT, folder))
    .filter((name) => name.endsWith('.md'))
    .sort();
}

/** `what` of all pages, each with its page. */
function everywhere(what: (page: TourPage) => string[]): string[] {
  return pages.flatMap((page) => what(page).map((problem) => `${page.path}: ${problem}`));
}

const isFile = (path: string) => existsSync(join(PROJECT, path)) && statSync(join(PROJECT, path)).isFile();

const texts = new Map<string, string>();
function textOf(path: string): string {
  const known = texts.get(path) ?? (isFile(path) ? readProjectFile(path) : '');
  texts.set(path, known);
  return known;
}

test('there are ten chapters, and each leads to the next', () => {
  assert.equal(
    chapters.map((name) => Number(name.slice(0, 2))),
    Array.from({ length: CHAPTERS }, (_, i) => i + 1),
  );
  const [index] = english.filter(({ path }) => path.endsWith(INDEX)) as [TourPage];
  for (const name of chapters) assert.ok(index.links.includes(`${TOUR}/${name}`), `the index links ${name}`);
  for (const [i, name] of chapters.entries()) {
    const page = english.find(({ path }) => path === `${TOUR}/${name}`) as TourPage;
    assert.is(page.links.at(-1), `${TOUR}/${chapters[i + 1] ?? INDEX}`, name);
  }
  assert.match(readProjectFile('README.md'), /\(docs\/tour\/README\.md\)/);
});

const isChapter = ({ path }: TourPage) => !path.endsWith(INDEX);

function missingParts(page: TourPage): string[] {
  const [lab, rocketmq] = page.sections.slice(-2);
  const labs = (lab?.text.match(/labs\/([\w-]+)\.md/g) ?? []).map((link) => link.slice(5, -3));
  const run = commandsOf(page).filter((command) => command.startsWith('npm run labs --'));
  const parts: [string, boolean][] = [
    ['a question at its beginning', /^> [\s\S]*[?？]\s*$/.test(page.beginning)],
    ['a diagram', page.blocks.some(isDrawing)],
    ['what would go wrong, something to try', page.sections.length >= 6],
    ['a lab', labs.length > 0 && labs.every((name) => (LAB_NAMES as readonly string[]).includes(name))],
    ['the command of its lab', labs.some((name) => run.some((command) => command.includes(name)))],
    ['RocketMQ at its end', /RocketMQ/.test(rocketmq?.title ?? '')],
    ['a class of RocketMQ', /`[A-Z][a-z]\w*[A-Z]\w*`/.test(rocketmq?.text ?? '')],
  ];
  return parts.filter(([, isThere]) => !isThere).map(([part]) => `lacks ${part}`);
}

test('each chapter has its question, a diagram, a lab and what RocketMQ does', () => {
  assert.equal(
    everywhere((page) => (isChapter(page) ? missingParts(page) : [])),
    [],
  );
});

test('English chapters have the same last sections', () => {
  const ends = english.filter(isChapter).map(({ sections }) => sections.slice(-4).map(({ title }) => title));
  const wanted = [
    'What would go wrong otherwise',
    'Try it',
    'The lab that proves it',
    'RocketMQ at the same place',
  ];
  for (const end of ends) assert.equal(end, wanted);
});

test('every file and folder is there, under the name that is written', () => {
  assert.equal(
    everywhere(({ links }) => links.filter((link) => !existsSync(join(PROJECT, link)))),
    [],
  );
  assert.equal(
    everywhere(({ pathLinks }) =>
      pathLinks.filter(({ text, target }) => text !== target).map(({ text }) => text),
    ),
    [],
  );
  const paths = /^(?:src|native|bench|test|docs|packaging)\/[\w./-]+$/;
  assert.equal(
    everywhere(({ spans }) => spans.filter((span) => paths.test(span) && !existsAsWritten(span))),
    [],
  );
});

/** Tests are named without the end of their files' names. */
const existsAsWritten = (path: string) =>
  existsSync(join(PROJECT, path)) || existsSync(join(PROJECT, `${path}.test.ts`));

function undeclared({ named }: TourPage): string[] {
  return named.flatMap(({ file, names: wanted }) =>
    wanted.filter((name) => !declares(file, textOf(file), name)).map((name) => `${file} has no ${name}`),
  );
}

test('every name behind a source file is declared there', () => {
  assert.ok(english.flatMap(({ named }) => named).length > 60, 'the names were found');
  assert.equal(everywhere(undeclared), []);
});

const WORD = /^#?[A-Za-z_$][\w$]*(?:\.#?[\w$]+)*$/;
const SHORTEST = 3;

/** Of RocketMQ's classes nothing here can tell. */
function strangeWords(page: TourPage): string[] {
  const known = page.links.map(textOf).join('\n');
  const sections = isChapter(page) ? page.sections.slice(0, -1) : [];
  const { spans } = tourPage(page.path, sections.map(({ text }) => text).join('\n'));
  return spans
    .filter((span) => WORD.test(span) && span.length >= SHORTEST)
    .filter((span) => !span.split('.').every((part) => hasWord(known, part)));
}

function hasWord(text: string, word: string): boolean {
  return new RegExp(`(?<![\\w$])${word.replaceAll('$', '\\$')}(?![\\w$])`).test(text);
}

test('every other name stands in a file that the chapter links', () => {
  assert.equal(everywhere(strangeWords), []);
});

test('quotations are the source', () => {
  const quotations = pages.flatMap(({ path, blocks }) =>
    blocks.flatMap((block) => {
      const file = quotedFile(block);
      return file === undefined ? [] : [{ path, file, text: block.text }];
    }),
  );
  assert.ok(quotations.length > 15);
  for (const { path, file, text } of quotations) {
    assert.ok(isFile(file), `${path} quotes ${file}`);
    assert.is(misquoted(text, textOf(file)), undefined, `${path}: ${file}`);
  }
});

function unmeasured({ figures }: TourPage): string[] {
  const strange = figures.filter(
    ({ number, pages: linked }) => !linked.some((page) => hasNumber(textOf(page), number)),
  );
  return strange.map(({ number }) => number);
}

test('figures were measured: each stands on a page that its paragraph links', () => {
  assert.ok(english.flatMap(({ figures }) => figures).length > 30);
  assert.equal(everywhere(unmeasured), []);
});

/** Pages made by programs separate thousands by spaces. */
function hasNumber(text: string, number: string): boolean {
  const digits = number.replaceAll('.', '\\.').replaceAll(',', '[,\\s]?');
  return new RegExp(`(?<![\\d.,])${digits}(?!\\d|[.,]\\d)`).test(text);
}

const { scripts } = JSON.parse(readProjectFile('package.json')) as { scripts: Record<string, string> };
const MAIN = join(PROJECT, 'dist/src/cli/main.js');
const helps = new Map<string, string>();

function helpOf(words: readonly string[]): string {
  const key = words.join(' ');
  let help = helps.get(key);
  if (help === undefined) {
    help = execFileSync(process.execPath, [MAIN, ...words, '--help'], { encoding: 'utf8' });
    helps.set(key, help);
  }
  return help;
}

/** Words and options of a shell command; quotes keep together, and a pipe or a bracket ends it. */
function wordsOf(command: string): string[] {
  const [words = ''] = command.split(/\s(?:[|&;]|>)/);
  return (words.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/, '$2'));
}

/** What is wrong with a command of npm, or undefined. */
function wrongCommand(command: string): string | undefined {
  const [, words] = /\bnpm (?:run (?:-s )?)?(.*)$/.exec(command) ?? [];
  if (words === undefined) return undefined;
  const [script = '', ...args] = wordsOf(words);
  if (scripts[script] === undefined) return `npm has no script ${script}`;
  const own = args[0] === '--' ? args.slice(1) : args;
  if (script === 'ringmq') return wrongCall(own);
  if (script === 'labs') return wrongLab(own);
  return undefined;
}

function wrongLab(args: readonly string[]): string | undefined {
  try {
    parseLabOptions(args.filter((arg) => arg !== 'NAME' && arg !== '…'));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function wrongCall(args: readonly string[]): string | undefined {
  const program = helpOf([]);
  const [command = '', second = ''] = args;
  if (!isListed(program, command)) return `ringmq has no command ${command}`;
  const help = helpOf([command]);
  const isSub = /^Commands:/m.test(help);
  if (isSub && !isListed(help, second)) return `ringmq ${command} has no command ${second}`;
  const known = isSub ? helpOf([command, second]) : help;
  const options = args.filter((arg) => /^-/.test(arg));
  const strange = options.find(
    (option) => !new RegExp(`(?<![\\w-])${option}(?![\\w-])`).test(optionsIn(known)),
  );
  return strange && `ringmq ${command} has no option ${strange}`;
}

/** The lines that begin with an option. */
const optionsIn = (help: string) => help.match(/^ {2}-.*$/gm)?.join('\n') ?? '';

const isListed = (help: string, command: string) => new RegExp(`^ {2}${command}(?![\\w-])`, 'm').test(help);

test('every command is there, with its options', () => {
  const ofPage = (page: TourPage) => [
    ...commandsOf(page),
    ...page.spans.filter((span) => /^npm /.test(span)),
  ];
  assert.ok(english.flatMap(ofPage).length > 40);
  assert.equal(
    everywhere((page) => ofPage(page).flatMap((command) => wrongCommand(command) ?? [])),
    [],
  );
});

/** What both languages have in common. */
function skeleton(page: TourPage): Record<string, unknown> {
  const same = [`${TOUR}/${INDEX}`, inEnglish(page.path)];
  const otherLanguage = (link: string) => same.includes(inEnglish(link));
  const links = page.links.filter((link) => !otherLanguage(link)).map(inEnglish);
  return {
    links: [...new Set(links)].sort(),
    named: page.named.map(({ file, names: wanted }) => `${file}: ${[...wanted].sort().join(' ')}`).sort(),
    spans: [...new Set(page.spans)].sort(),
    commands: commandsOf(page),
    quotations: page.blocks.filter((block) => quotedFile(block) !== undefined),
    drawings: page.blocks.filter(isDrawing).length,
    sections: page.sections.length,
    figures: page.figures.map(({ number }) => number).sort(),
  };
}

test('both languages have the same links, names, commands, quotations and figures', () => {
  for (const page of chinese) {
    const original = english.find(({ path }) => path === inEnglish(page.path)) as TourPage;
    assert.equal(skeleton(page), skeleton(original), page.path);
  }
  if (chinese.length === 0) return;
  assert.ok(textOf(`${TOUR}/${INDEX}`).includes('(zh/README.md)'), 'the English index links the Chinese one');
  assert.ok(
    textOf(`${CHINESE}/${INDEX}`).includes('(../README.md)'),
    'the Chinese index links the English one',
  );
});

test('a wrong name, quotation, figure and command are found', () => {
  const page = tourPage(
    `${TOUR}/01-x.md`,
    '# 1\n\n> Why?\n\n[src/ring/wake.ts](../../src/ring/wake.ts) (`Parker.park`, `Parker.sleep`, `AWAKE`, `wakeAll`) takes **7.25 times** `PATIENCE`.\n\n## RocketMQ\n',
  );
  assert.equal(undeclared(page), ['src/ring/wake.ts has no Parker.sleep', 'src/ring/wake.ts has no wakeAll']);
  assert.equal(unmeasured(page), ['7.25']);
  assert.equal(strangeWords(page), ['wakeAll', 'PATIENCE']);
  assert.is(
    misquoted('const AWAKE = 0;\nconst SLEEPING = 2;', textOf('src/ring/wake.ts')),
    'const SLEEPING = 2;',
  );
  assert.is(
    misquoted('const AWAKE = 0;\n…\nconst AWAKE = 0;', textOf('src/ring/wake.ts')),
    'const AWAKE = 0;',
  );
  assert.not(hasNumber('17.25 and 7.251', '7.25'));
  assert.ok(hasNumber('took 8 109 µs', '8,109'));
  assert.is(wrongCommand('npm run ringmq -- trace --breif'), 'ringmq trace has no option --breif');
  assert.is(wrongCommand('npm run ringmq -- log dumb x'), 'ringmq log has no command dumb');
  assert.is(wrongCommand('npm run -s ringmq -- log dump x --at 0 | head'), undefined);
  assert.is(wrongCommand('npm run lab'), 'npm has no script lab');
  assert.match(wrongCommand('npm run labs -- heder') ?? '', /did you mean header/);
});

test.run();
