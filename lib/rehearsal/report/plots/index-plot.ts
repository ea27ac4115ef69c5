import type { EChartsCoreOption } from 'echarts';

import type { IndexedQueryResult } from '../measurements';
import { axisStyle, colours, renderPlot } from './plot';

const rowHeight = 30;

/** p95 and p99 of the query of each index, through the pooler and directly. */
export function renderIndexPlot(results: readonly IndexedQueryResult[], targetMs: number): string {
  const rows = [...results].reverse(); // the axis begins at the bottom
  const dots = (colour: string, offset: number, filled: boolean, valueOf: (result: IndexedQueryResult) => number) => ({
    type: 'scatter',
    symbolSize: 9,
    symbolOffset: [0, offset],
    itemStyle: filled ? { color: colour } : { color: '#fff', borderColor: colour, borderWidth: 1.8 },
    data: rows.map((result) => [Number(valueOf(result).toPrecision(3)), result.index]),
  });
  return renderPlot(
    70 + rows.length * rowHeight,
    ({ narrow }): EChartsCoreOption => ({
      grid: { left: narrow ? 12 : 215, right: 24, top: 22, bottom: 44 },
      xAxis: { ...axisStyle, type: 'log', min: powerBelow, max: powerAbove, name: 'ms', nameLocation: 'middle', nameGap: 26 },
      yAxis: {
        ...axisStyle,
        type: 'category',
        data: rows.map(({ index }) => index),
        axisTick: { show: false },
        splitLine: { show: true, lineStyle: { color: colours.line } },
        // On a phone the names stand above the dots: beside them there would be no room.
        ...(narrow && { z: 10, axisLabel: { inside: true, fontSize: 10, color: colours.faint, verticalAlign: 'bottom', padding: [0, 0, 8, 0] } }),
      },
      series: [
        dots(colours.direct, 5, false, ({ direct }) => direct.p99Ms),
        dots(colours.tier, -5, false, ({ pooled }) => pooled.p99Ms),
        dots(colours.direct, 5, true, ({ direct }) => direct.p95Ms),
        {
          ...dots(colours.tier, -5, true, ({ pooled }) => pooled.p95Ms),
          markLine: { symbol: 'none', lineStyle: { color: colours.faint, type: 'dashed' }, label: { formatter: `target ${targetMs} ms`, color: colours.faint }, data: [{ xAxis: targetMs }] },
        },
      ],
    }),
    {
      narrowHeight: 70 + rows.length * 46,
      legend: [
        { name: 'through the pooler: ● p95, ○ p99', colour: colours.tier },
        { name: 'directly at the primary: ● p95, ○ p99', colour: colours.direct },
      ],
    },
  );
}

function powerBelow({ min }: { readonly min: number }): number {
  return 10 ** Math.floor(Math.log10(min));
}

/** The target is always in sight. */
function powerAbove({ max }: { readonly max: number }): number {
  return Math.max(100, 10 ** Math.ceil(Math.log10(max)));
}
