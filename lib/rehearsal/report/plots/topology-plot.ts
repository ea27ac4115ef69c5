import type { EChartsCoreOption } from 'echarts';

import type { Topology, TopologyNode } from '../measurements';
import { type Canvas, colours, renderPlot } from './plot';

const rowHeight = 92;
const boxHeight = 66;
/** Between two columns, so that the lines between them are seen. */
const leastGap = 30;

/** Who talks to whom: from left to right, on a phone from top to bottom. */
export function renderTopologyPlot({ nodes, links }: Topology): string {
  const columns = [...new Set(nodes.map(({ column }) => column))].sort((a, b) => a - b).map((column) => nodes.filter((node) => node.column === column));
  const mostRows = Math.max(...columns.map((column) => column.length));
  return renderPlot(
    30 + mostRows * rowHeight,
    (canvas): EChartsCoreOption => ({
      series: [
        {
          type: 'graph',
          layout: 'none',
          // Positions are in pixels.
          left: 0,
          top: 0,
          width: canvas.width,
          height: canvas.height,
          preserveAspect: true,
          silent: true,
          lineStyle: { color: colours.faint, width: 1.4, opacity: 1 },
          data: [...columns.flatMap((column, columnIndex) => column.map((node, row) => boxOf(node, place(canvas, columns.length, columnIndex, column.length, row), canvas, columns.length))), ...corners(canvas)],
          links: links.map(({ from, to }) => ({ source: from, target: to })),
        },
      ],
    }),
    { narrowHeight: 40 + columns.length * (rowHeight + 20) },
  );
}

function place({ width, height, narrow }: Canvas, columns: number, column: number, rows: number, row: number): { readonly x: number; readonly y: number } {
  const [along, across] = [(column + 0.5) / columns, (row + 0.5) / rows];
  return narrow ? { x: across * width, y: along * height } : { x: along * width, y: across * height };
}

function boxOf({ id, title, details }: TopologyNode, { x, y }: { readonly x: number; readonly y: number }, { narrow, width }: Canvas, columns: number): object {
  const boxWidth = narrow ? 150 : Math.min(208, width / columns - leastGap);
  // A bold letter takes about two thirds of its height.
  const titleSize = Math.min(narrow ? 10 : 12, (boxWidth - 8) / (title.length * 0.66));
  return {
    id,
    name: title,
    x,
    y,
    symbol: 'rect',
    symbolSize: [boxWidth, boxHeight],
    itemStyle: { color: '#f5f9fc', borderColor: colours.tier, borderWidth: 1.4 },
    label: {
      show: true,
      position: 'inside',
      formatter: [`{title|${title}}`, ...details.map((line) => `{detail|${line}}`)].join('\n'),
      rich: { title: { fontWeight: 600, fontSize: titleSize, lineHeight: 17, color: colours.text }, detail: { fontSize: narrow ? 9 : 11, lineHeight: 15, color: colours.faint } },
    },
  };
}

/** Invisible: without them the library would scale the drawing to what is drawn. */
function corners({ width, height }: Canvas): readonly object[] {
  return [
    { id: 'start', x: 0, y: 0, symbolSize: 0, label: { show: false } },
    { id: 'end', x: width, y: height, symbolSize: 0, label: { show: false } },
  ];
}
