import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { readReport, type Report, reportFileName } from '../report/report';

/**
 * Reads one side of a comparison: a `report.json`, a directory that has one, or a directory of such directories, as
 * `--repeats` leaves it.
 *
 * @throws Error if there is none, or one cannot be read
 */
export function readReports(path: string): readonly Report[] {
  const directories = directoriesOf(path);
  if (directories.length === 0) throw new Error(`${path} has no ${reportFileName}, and no directory in it has one; rehearse with --report ${path}`);
  return directories.map((directory) => readReport(directory)!);
}

function directoriesOf(path: string): readonly string[] {
  if (!existsSync(path)) throw new Error(`${path} does not exist; it must be a ${reportFileName}, or a directory that --report has filled`);
  if (!statSync(path).isDirectory()) {
    if (basename(path) !== reportFileName) throw new Error(`${path} is no ${reportFileName}; name that file, or its directory`);
    return [dirname(path)];
  }
  const hasReport = (directory: string): boolean => existsSync(join(directory, reportFileName));
  if (hasReport(path)) return [path];
  return readdirSync(path)
    .sort()
    .map((name) => join(path, name))
    .filter(hasReport);
}
