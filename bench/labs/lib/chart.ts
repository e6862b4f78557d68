/**
 * The chart of a lab, as SVG: a group of bars for each place, a bar for each way, its length the median, a whisker from
 * the least to the greatest round. Drawn by ECharts without a browser.
 */
import { CustomChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { threeDigits } from '../../micro/report.ts';
import type { Lab, Row } from './lab.ts';

use([CustomChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const WIDTH = 880;
/** The rest is for fonts that are wider than was estimated. */
const LEGEND_WIDTH = 740;
const BAR_HEIGHT = 18;
const GROUP_GAP = 14;
/** Title, legend and axis. */
const FURNITURE = 120;
const LEGEND_ROW = 42;
/** Widths are estimated without a browser, and fonts differ. */
const CHARACTER = 7;
const LEGEND_GAP = 28;
const LEGEND_ICON = 32;
/** Without quotes: ECharts does not escape them in the attribute. */
const FONT = 'Arial, Helvetica, DejaVu Sans, sans-serif';
const WHISKER = 4;

/** Distinct for the colour-blind, and on paper (Okabe and Ito). */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#999999', '#f0e442'];

/** What ECharts tells a custom series about the item to draw, as far as it is used here. */
interface Drawing {
  value(dimension: number): number;
  coord(point: [number, number]): [number, number];
  barLayout(options: object): { offsetCenter: number; width: number }[];
  visual(key: 'color'): string;
}

interface Place {
  coordSys: { x: number };
}

/** Median, index of the place, least, greatest. */
type Datum = [number, number, number, number];

function line(x1: number, y1: number, x2: number, y2: number): object {
  return { type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke: '#333333', lineWidth: 1 } };
}

/** Draws the bar of the way `number` of `count`. */
function drawBar(number: number, count: number) {
  return ({ coordSys }: Place, drawing: Drawing): object => {
    const [x, middle] = drawing.coord([drawing.value(0), drawing.value(1)]);
    const [least] = drawing.coord([drawing.value(2), drawing.value(1)]);
    const [greatest] = drawing.coord([drawing.value(3), drawing.value(1)]);
    const layout = drawing.barLayout({ count, barGap: '0%', barCategoryGap: '18%' })[number];
    const width = (layout?.width ?? BAR_HEIGHT) - 2;
    const y = middle + (layout?.offsetCenter ?? 0);
    const bar = { x: coordSys.x, y: y - width / 2, width: Math.max(1, x - coordSys.x), height: width };
    return {
      type: 'group',
      children: [
        { type: 'rect', shape: bar, style: { fill: drawing.visual('color') } },
        line(least, y, greatest, y),
        line(least, y - WHISKER, least, y + WHISKER),
        line(greatest, y - WHISKER, greatest, y + WHISKER),
        {
          type: 'text',
          style: {
            text: threeDigits(drawing.value(0)),
            x: Math.max(x, greatest) + 5,
            y,
            fill: '#333333',
            fontFamily: FONT,
            fontSize: 11,
            textVerticalAlign: 'middle',
          },
        },
      ],
    };
  };
}

/** ECharts begins a row of the legend where the next entry does not fit. */
function legendRows(ways: readonly string[]): number {
  let [rows, used] = [1, 0];
  for (const way of ways) {
    const width = way.length * CHARACTER + LEGEND_ICON + LEGEND_GAP;
    if (used > 0 && used + width > LEGEND_WIDTH) [rows, used] = [rows + 1, 0];
    used += width;
  }
  return rows;
}

function inOrder(values: Iterable<string>): string[] {
  return [...new Set(values)];
}

/** Powers of ten around the values. */
function bounds(values: readonly number[]): { min: number; max: number } {
  const positive = values.filter((value) => value > 0);
  const least = Math.min(...positive);
  const greatest = Math.max(...positive);
  return { min: 10 ** Math.floor(Math.log10(least) - 0.1), max: 10 ** Math.ceil(Math.log10(greatest) + 0.1) };
}

interface Shown {
  places: string[];
  ways: string[];
  data: Map<string, Datum[]>;
}

/** Where no way comes twice there are no groups to compare: places and ways stand at the axis together. */
function shown(lab: Lab, rows: readonly Row[]): Shown {
  const single = new Set(rows.map(({ way }) => way)).size === rows.length;
  const label = ({ place, way }: Row) => (place === '' ? way : `${place}: ${way}`);
  const places = inOrder(rows.map((row) => (single ? label(row) : row.place)));
  const ways = single ? [''] : inOrder(rows.map((row) => row.way));
  const data = new Map<string, Datum[]>(ways.map((way) => [way, []]));
  for (const row of rows) {
    const figure = row.figures[lab.chart.column];
    if (figure === undefined) continue;
    const place = places.indexOf(single ? label(row) : row.place);
    data.get(single ? '' : row.way)?.push([figure.median, place, figure.min, figure.max]);
  }
  return { places, ways, data };
}

function axisOf(lab: Lab, values: readonly number[]): object {
  const column = lab.columns.find(({ key }) => key === lab.chart.column);
  const named = { name: column?.title ?? '', nameLocation: 'middle', nameGap: 30 };
  if (!lab.chart.logarithmic) return { type: 'value', min: 0, ...named };
  const axisLabel = { formatter: (value: number) => threeDigits(value).replace(/\.0+$/, '') };
  return { type: 'log', ...bounds(values), axisLabel, ...named };
}

export function drawChart(lab: Lab, rows: readonly Row[]): string {
  const { places, ways, data } = shown(lab, rows);
  const values = [...data.values()].flat().flatMap(([median, , min, max]) => [median, min, max]);
  const legend = ways.length > 1;
  const top = 48 + (legend ? legendRows(ways) * LEGEND_ROW - 18 : 0);
  const height = FURNITURE + top + places.length * (ways.length * BAR_HEIGHT + GROUP_GAP);
  const left = Math.min(420, 30 + CHARACTER * Math.max(...places.map((place) => place.length)));
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  const option: EChartsCoreOption = {
    animation: false,
    textStyle: { fontFamily: FONT },
    backgroundColor: '#ffffff',
    color: COLOURS,
    title: { text: lab.title, left: 'center', textStyle: { fontSize: 15 } },
    ...(legend ? { legend: { top: 34, width: LEGEND_WIDTH, itemGap: LEGEND_GAP, data: ways } } : {}),
    grid: { left, right: 70, top, bottom: 55 },
    xAxis: axisOf(lab, values),
    yAxis: { type: 'category', inverse: true, data: places, axisTick: { show: false } },
    series: ways.map((name, number) => ({
      type: 'custom',
      name,
      renderItem: drawBar(number, ways.length),
      encode: { x: [0, 2, 3], y: 1 },
      data: data.get(name),
    })),
  };
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  // For who cannot see it: the table has the figures.
  return svg.replace('<svg ', `<svg role="img" aria-label="${lab.title.replaceAll('"', '&quot;')}" `);
}
