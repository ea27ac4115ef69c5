import type { EChartsCoreOption } from 'echarts';

import type { Phase, PoolSample } from '../measurements';
import { axisStyle, colours, renderPlot } from './plot';

/** Throughput of the pooler above the use of its server connections and the clients that wait for one, over time. */
export function renderPoolPlot(samples: readonly PoolSample[], phases: readonly Phase[]): string {
  const longest = samples.at(-1)?.atSeconds ?? 0;
  const lineOf = (valueOf: (sample: PoolSample) => number) => samples.map((sample) => [sample.atSeconds, Number(valueOf(sample).toFixed(1))]);
  return renderPlot(
    530,
    ({ narrow }): EChartsCoreOption => {
      const timeAxis = (gridIndex: number, named: boolean) => ({
        ...axisStyle,
        gridIndex,
        type: 'value',
        min: 0,
        max: Math.ceil(longest),
        splitLine: { show: false },
        axisLabel: { ...axisStyle.axisLabel, show: named },
        ...(named && { name: 'seconds since the measurements began', nameLocation: 'middle', nameGap: 28 }),
      });
      const series = (name: string, panel: number, colour: string, data: number[][], area = false) => ({
        name,
        type: 'line',
        step: 'end',
        showSymbol: false,
        xAxisIndex: panel,
        yAxisIndex: panel,
        color: colour,
        lineStyle: { width: 1.8 },
        ...(area && { areaStyle: { opacity: 0.2 } }),
        data,
      });
      return {
        grid: [
          { left: 56, right: 16, top: 50, height: 130 },
          { left: 56, right: 16, top: 220, height: 110 },
          { left: 56, right: 16, top: 370, height: 110 },
        ],
        xAxis: [timeAxis(0, false), timeAxis(1, false), timeAxis(2, true)],
        yAxis: ['transactions/s', 'server connections', 'clients waiting'].map((name, gridIndex) => ({
          ...axisStyle,
          gridIndex,
          type: 'value',
          name,
          // Above the numbers of the phases.
          nameGap: gridIndex === 0 ? 24 : 8,
          nameTextStyle: { ...axisStyle.nameTextStyle, align: 'left', padding: [0, 0, 0, -48] },
          splitNumber: 3,
        })),
        series: [
          { ...series('transactions/s', 0, colours.tier, lineOf((sample) => sample.transactionsPerSecond), true), markArea: phaseBands(phases, narrow) },
          series('servers busy', 1, colours.tier, lineOf(({ serversBusy }) => serversBusy), true),
          series('servers open', 1, colours.direct, lineOf(({ serversBusy, serversIdle }) => serversBusy + serversIdle)),
          series('clients waiting for a server', 2, colours.waiting, lineOf(({ clientsWaiting }) => clientsWaiting), true),
        ],
      };
    },
    {
      legend: [
        { name: 'transactions, servers busy', colour: colours.tier },
        { name: 'servers open', colour: colours.direct },
        { name: 'clients waiting for a server', colour: colours.waiting },
      ],
    },
  );
}

/** What was measured when; every second one is shaded. Numbers on a phone: the list below the plot has the names. */
function phaseBands(phases: readonly Phase[], narrow: boolean): object {
  return {
    silent: true,
    label: { color: colours.faint, fontSize: narrow ? 10 : 11, position: 'top', distance: 4 },
    data: phases.map(({ fromSeconds, toSeconds }, index) => [
      { name: String(index + 1), xAxis: fromSeconds, itemStyle: { color: index % 2 === 0 ? 'rgba(31, 41, 51, 0.05)' : 'transparent' } },
      { xAxis: toSeconds },
    ]),
  };
}
