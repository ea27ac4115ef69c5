import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { run } from './child';
import type { DebianTools, Tool } from './debian-tools';

interface Requirement {
  readonly versionFlag: string;
  /** Major and minor version. */
  readonly atLeast: Version;
}
type Version = readonly [number, number];

const requirements: Readonly<Record<keyof DebianTools, Requirement>> = {
  // Its signals have meant what the entrypoint sends them for since then.
  pgbouncer: { versionFlag: '--version', atLeast: [1, 23] },
  haproxy: { versionFlag: '-v', atLeast: [2, 4] },
  pgbench: { versionFlag: '--version', atLeast: [15, 0] },
  psql: { versionFlag: '--version', atLeast: [15, 0] },
  // `-noenc`
  openssl: { versionFlag: 'version', atLeast: [3, 0] },
};

/**
 * The programs that are installed on this machine, where Debian's packages cannot be had.
 *
 * @param searchPath directories, as in PATH
 * @throws Error that names every program that is missing or too old
 */
export async function installedTools(searchPath: string): Promise<DebianTools> {
  const directories = searchPath.split(delimiter);
  const found = Object.entries(requirements).map(async ([name, requirement]) => {
    const command = directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
    const problem = command ? await problemOf(command, requirement) : `${name} is not installed`;
    return { name, tool: { command: command ?? name, args: [] } satisfies Tool, problem };
  });
  const programs = await Promise.all(found);
  const problems = programs.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return Object.fromEntries(programs.map(({ name, tool }) => [name, tool])) as unknown as DebianTools;
}

async function problemOf(command: string, { versionFlag, atLeast }: Requirement): Promise<string | undefined> {
  const { stdout } = await run({ command, args: [versionFlag] });
  const version = versionIn(stdout);
  if (version && !isBefore(version, atLeast)) return undefined;
  return `${command} is ${version?.join('.') ?? 'of an unknown version'}, at least ${atLeast.join('.')} is needed`;
}

/** The first two numbers of what a program says about itself; a beta counts as its release. */
function versionIn(text: string): Version | undefined {
  const [, major, minor] = /(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor ?? 0)];
}

function isBefore([major, minor]: Version, [majorNeeded, minorNeeded]: Version): boolean {
  return major < majorNeeded || (major === majorNeeded && minor < minorNeeded);
}
