import { type ConfigProblem, Problems } from './config-problems';
import type { ResolvedTierConfig } from './resolve-config';

/** Minutes since midnight, or since Monday's; the end may be on the next day, or in the next week. */
interface Window {
  readonly start: number;
  readonly end: number;
}

const day = 24 * 60;
const week = 7 * day;
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const leastMinutes = 30;

/**
 * What RDS would refuse of the windows for backups and maintenance.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
 */
export function windowProblems({ backupWindow, maintenanceWindow }: Pick<ResolvedTierConfig['database'], 'backupWindow' | 'maintenanceWindow'>): readonly ConfigProblem[] {
  const found = new Problems();
  const backup = parseWindow(backupWindow, '', day);
  const maintenance = parseWindow(maintenanceWindow, `(${weekdays.join('|')}):`, week);
  if (!backup) found.add('database.backupWindow', `"${backupWindow}" is not like "07:00-08:00" (UTC)`);
  else if (lengthOf(backup) < leastMinutes) found.add('database.backupWindow', `"${backupWindow}" is ${lengthOf(backup)} minutes long; RDS wants at least ${leastMinutes}`);
  if (!maintenance) found.add('database.maintenanceWindow', `"${maintenanceWindow}" is not like "Sun:08:30-Sun:09:30" (UTC)`);
  else if (lengthOf(maintenance) < leastMinutes) found.add('database.maintenanceWindow', `"${maintenanceWindow}" is ${lengthOf(maintenance)} minutes long; RDS wants at least ${leastMinutes}`);
  if (backup && maintenance && overlap(backup, maintenance)) {
    found.add('database.maintenanceWindow', `"${maintenanceWindow}" overlaps backupWindow ("${backupWindow}", each day), which RDS refuses; move one of them`);
  }
  return found.all;
}

function parseWindow(text: string, weekday: string, period: number): Window | undefined {
  const time = `${weekday}([01]\\d|2[0-3]):([0-5]\\d)`;
  const parts = new RegExp(`^${time}-${time}$`).exec(text)?.slice(1);
  if (!parts) return undefined;
  const [start, end] = [parts.slice(0, parts.length / 2), parts.slice(parts.length / 2)].map(minutesOf) as [number, number];
  return { start, end: end > start ? end : end + period };
}

function minutesOf(parts: readonly string[]): number {
  const [hours, minutes] = parts.slice(-2).map(Number) as [number, number];
  return (parts.length === 3 ? weekdays.indexOf(parts[0]!) * day : 0) + hours * 60 + minutes;
}

function lengthOf({ start, end }: Window): number {
  return end - start;
}

/** The backup of each day, and of the days beside the week, for a maintenance that goes over its end. */
function overlap(backup: Window, maintenance: Window): boolean {
  return Array.from({ length: 15 }, (_, position) => (position - 1) * day).some((offset) => backup.start + offset < maintenance.end && maintenance.start < backup.end + offset);
}
