import { openFileLimit } from '../engines/open-file-limit';
import type { ContainerDefinition } from './container-definition';

/** Files that a task may have open, as the template says and as this machine lets it. */
export interface OpenFiles {
  readonly wanted: number;
  readonly given: number;
}

/** Undefined if the template sets no limit. */
export async function openFilesOf({ Ulimits = [] }: ContainerDefinition): Promise<OpenFiles | undefined> {
  const limit = Ulimits.find(({ Name }) => Name === 'nofile');
  return limit && { wanted: limit.HardLimit, given: Math.min(limit.HardLimit, await openFileLimit()) };
}
