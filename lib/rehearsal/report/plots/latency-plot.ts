import type { EChartsCoreOption } from 'echarts';

import type { LatencyComparison } from '../measurements';
import { axisStyle, colours, renderPlot } from './plot';

const curveColours = [colours.tier, colours.direct];

/**
 * Latency over percentile. The further right, the rarer: each step of the axis holds a tenth of the transactions of the
 * one before, so that the slowest thousandth is seen as well as the median.
 *
 * @see https://hdrhistogram.github.io/HdrHistogram/plotFiles.html
 */
export function renderLatencyPlot({ curves, targetMs }: LatencyComparison): string {
  return renderPlot(
    330,
    ({ narrow }): EChartsCoreOption => ({
      color: curveColours,
      grid: { left: 48, right: narrow ? 16 : 28, top: 26, bottom: 46 },
      xAxis: {
        ...axisStyle,
        type: 'log',
        min: 1,
        max: 1000,
        name: 'percent of the transactions',
        nameLocation: 'middle',
        nameGap: 28,
        axisLabel: { ...axisStyle.axisLabel, formatter: (rarity: number) => `${Number((100 * (1 - 1 / rarity)).toFixed(1))} %` },
      },
      yAxis: { ...axisStyle, type: 'log', name: 'ms', nameGap: 10, min: ({ min }: { readonly min: number }) => 10 ** Math.floor(Math.log10(min)), minorSplitLine: { show: true, lineStyle: { color: '#f3f4f6' } }, axisLabel: { ...axisStyle.axisLabel, formatter: formatMs } },
      series: curves.map(({ name, points }, index) => ({
        name,
        type: 'line',
        showSymbol: false,
        lineStyle: { width: 2.5 },
        data: points.filter(({ percent }) => percent < 100).map(({ percent, ms }) => [100 / (100 - percent), ms]),
        ...(index === 0 && targetMs !== undefined && { markLine: targetLine(targetMs) }),
      })),
    }),
    { narrowHeight: 280, legend: curves.map(({ name }, index) => ({ name, colour: curveColours[index % curveColours.length]! })) },
  );
}

function targetLine(targetMs: number): object {
  return {
    symbol: 'none',
    lineStyle: { color: colours.faint, type: 'dashed' },
    label: { formatter: `target ${targetMs} ms`, position: 'insideStartTop', color: colours.faint },
    data: [{ yAxis: targetMs }],
  };
}

function formatMs(ms: number): string {
  return String(Number(ms.toPrecision(2)));
}
