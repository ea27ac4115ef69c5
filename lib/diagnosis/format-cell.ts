import type { Cell, Format } from './diagnosis';

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** As a person reads it; nothing for what is not known. */
export function formatCell(value: Cell | undefined, format: Format = 'text'): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'number') return String(value);
  switch (format) {
    case 'bytes':
      return formatBytes(value);
    case 'seconds':
      return formatSeconds(value);
    case 'milliseconds':
      return value >= 1000 ? formatSeconds(value / 1000) : `${significant(value)} ms`;
    case 'percent':
      return `${significant(value)} %`;
    case 'count':
      return significant(value);
    case 'text':
      return String(value);
  }
}

function formatBytes(bytes: number): string {
  const power = Math.min(binaryUnits.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(bytes))) / 10)));
  return `${significant(bytes / 2 ** (10 * power))} ${binaryUnits[power]}`;
}

function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${significant(seconds)} s`;
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${Math.floor(seconds) % 60} s`;
}

/** Three digits below 100, whole numbers from there, thousands separated. */
function significant(value: number): string {
  return value.toLocaleString('en-US', Math.abs(value) < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 });
}
