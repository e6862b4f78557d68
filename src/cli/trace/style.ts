/** How a page of a trace looks: by day and by night, without anything from elsewhere. */

/** Of the nine steps. */
const COLOURS = [
  '#2f6fb0',
  '#7a4fb5',
  '#b0562f',
  '#5b6470',
  '#2f8f6b',
  '#2f8f6b',
  '#a8871d',
  '#b03a6a',
  '#c0392b',
];

const PAGE = `
:root { color-scheme: light dark; --line: #d5d9de; --soft: #f4f6f8; }
:root { --text: #1c2024; --pale: #5b6470; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a4048; --soft: #1f242a; --text: #e4e7ea; --pale: #9aa4af; --back: #14171b; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { margin: 1.8rem 0 .4rem; }
small, figcaption, footer, .unseen { color: var(--pale); font-weight: normal; }
footer { margin: 3rem 0 1rem; }
p { margin: .3rem 0; max-width: 60rem; }
.unseen { font-style: italic; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { color: var(--pale); }
dd { margin: 0; overflow-wrap: anywhere; }
`;

const PICTURE = `
figure { margin: 1.5rem 0; overflow-x: auto; }
svg { min-width: 56rem; width: 100%; height: auto; }
svg text { fill: var(--text); font-size: 11px; }
svg .who { font-size: 13px; }
svg .time { fill: var(--pale); }
svg .lane, svg .tick { stroke: var(--line); }
svg .cut { fill: var(--soft); stroke: var(--line); }
`;

const TABLES = `
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; margin: .4rem 0; }
th { text-align: left; color: var(--pale); font-weight: normal; }
th, td { padding: .12rem .6rem; vertical-align: top; border-bottom: 1px solid var(--line); }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.hex { font-family: monospace; min-width: 24ch; max-width: 24ch; }
.value { font-family: monospace; overflow-wrap: anywhere; max-width: 30ch; }
summary { cursor: pointer; background: var(--soft); padding: .2rem .5rem; margin-top: .5rem; }
.number { display: inline-block; min-width: 1.5em; text-align: center; color: #fff; border-radius: .3em; }
`;

const STEPS = COLOURS.map(
  (colour, i) =>
    `.number.step${i + 1} { background: ${colour}; }\nsvg .step${i + 1} .bar { fill: ${colour}; }\n`,
);

export const STYLE = `${PAGE}${PICTURE}${TABLES}${STEPS.join('')}`;
