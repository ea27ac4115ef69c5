import type { EChartsCoreOption } from 'echarts';

import type { DrillEvent, DrillResult } from '../../drills/drill-result';
import { axisStyle, colours, renderPlot } from './plot';

const eventColours: Readonly<Record<DrillEvent['kind'], string>> = { fault: '#b42318', repair: '#027a48', note: colours.faint };

/** Commits and errors of each second of a drill, with what was done when. */
export function renderDrillPlot({ timeline, events }: Pick<DrillResult, 'timeline' | 'events'>): string {
  const end = Math.max(...timeline.map(({ atSeconds }) => atSeconds + 1), ...events.map(({ atSeconds }) => atSeconds), 1);
  const bars = (name: string, yAxisIndex: number, colour: string, valueOf: (second: DrillResult['timeline'][number]) => number) => ({
    name,
    type: 'line',
    step: 'end',
    showSymbol: false,
    xAxisIndex: yAxisIndex,
    yAxisIndex,
    color: colour,
    lineStyle: { width: 1.5 },
    areaStyle: { opacity: 0.35 },
    // A second's figure holds until the next begins, the last one's to its end.
    data: [...timeline.map((second) => [second.atSeconds, valueOf(second)]), ...timeline.slice(-1).map((second) => [second.atSeconds + 1, valueOf(second)])],
  });
  return renderPlot(
    250,
    (): EChartsCoreOption => ({
      grid: [
        { left: 52, right: 20, top: 40, height: '42%' },
        { left: 52, right: 20, top: '71%', height: '13%' },
      ],
      xAxis: [0, 1].map((gridIndex) => ({ ...axisStyle, gridIndex, type: 'value', min: 0, max: Math.ceil(end), splitLine: { show: false }, axisLabel: { ...axisStyle.axisLabel, show: gridIndex === 1, formatter: '{value} s' } })),
      yAxis: ['commits/s', 'errors/s'].map((name, gridIndex) => ({
        ...axisStyle,
        gridIndex,
        type: 'value',
        name,
        minInterval: 1,
        splitNumber: gridIndex === 0 ? 3 : 1,
        nameGap: 6,
        nameTextStyle: { ...axisStyle.nameTextStyle, align: 'left', padding: [0, 0, 0, -44] },
      })),
      series: [
        { ...bars('commits/s', 0, colours.tier, ({ committed }) => committed), markLine: eventLines(events) },
        { ...bars('errors/s', 1, eventColours.fault, ({ errors }) => errors), markLine: eventLines(events, false) },
      ],
    }),
  );
}

/** Numbered as in the list below the plot. */
function eventLines(events: readonly DrillEvent[], labelled = true): object {
  return {
    symbol: 'none',
    silent: true,
    data: events.map(({ atSeconds, kind }, index) => ({
      xAxis: atSeconds,
      lineStyle: { color: eventColours[kind], type: kind === 'note' ? 'dotted' : 'solid', width: 1.5 },
      label: {
        show: labelled,
        color: eventColours[kind],
        distance: 4 + (index % 2) * 13, // neighbours do not cover each other
        formatter: String(index + 1),
      },
    })),
  };
}
