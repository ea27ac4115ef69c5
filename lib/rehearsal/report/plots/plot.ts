import { type EChartsCoreOption, init } from 'echarts';

/** What a plot is drawn in. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** On a phone there is room for half of the words. */
  readonly narrow: boolean;
}

/** Colours that also differ in grey: https://jfly.uni-koeln.de/color/ */
export const colours = { tier: '#0072b2', direct: '#d55e00', idle: '#a6cee3', waiting: '#cc4778', text: '#1f2933', faint: '#7b8794', line: '#e4e7eb' } as const;

/** A colour of the plot and what it stands for. */
export interface LegendEntry {
  readonly name: string;
  readonly colour: string;
}

/**
 * The plot as SVG for wide and for narrow pages: text in one picture scaled to both would be too small in one. Its
 * legend is of the page, whose fonts only a browser can measure.
 */
export function renderPlot(height: number, optionOf: (canvas: Canvas) => EChartsCoreOption, { narrowHeight = height, legend = [] }: { readonly narrowHeight?: number; readonly legend?: readonly LegendEntry[] } = {}): string {
  const wide = renderSvg({ width: 1040, height, narrow: false }, optionOf);
  const narrow = renderSvg({ width: 360, height: narrowHeight, narrow: true }, optionOf);
  const entries = legend.map(({ name, colour }) => `<li><i style="background:${colour}"></i>${name}</li>`).join('');
  return `${entries && `<ul class="legend">${entries}</ul>`}<div class="wide">${wide}</div><div class="narrow">${narrow}</div>`;
}

function renderSvg(canvas: Canvas, optionOf: (canvas: Canvas) => EChartsCoreOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: canvas.width, height: canvas.height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit', color: colours.text, fontSize: canvas.narrow ? 11 : 13 }, ...optionOf(canvas) });
    // It takes the width of its place on the page, and keeps its shape.
    return chart.renderToSVGString().replace(/^<svg width="\d+" height="\d+"/, '<svg role="img"');
  } finally {
    chart.dispose();
  }
}

/** Axis texts and lines as everywhere in the report. */
export const axisStyle = {
  axisLine: { lineStyle: { color: colours.faint } },
  axisLabel: { color: colours.text },
  splitLine: { lineStyle: { color: colours.line } },
  nameTextStyle: { color: colours.faint },
} as const;
