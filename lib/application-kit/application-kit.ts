import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { AssemblyStack } from '../assembly/environment-assembly';
import { poolerImageFiles } from '../tier/pooler/pooler.contract';
import { renderReadme } from './kit-readme';
import { readPoolerAuthorities, type TierFacts } from './tier-facts';

/** What is the same in every kit. */
const assets = join(__dirname, '../../assets/application-kit');
/** The packages in it, each complete by itself. */
export const kitPackages = { python: 'python/bookedbarber_db', node: 'node/bookedbarber-db' } as const;

/** The authorities of the pooler's certificate, where it has one that can be verified; the kit's code looks for the name. */
const poolerAuthoritiesFile = 'pooler-ca.pem';

/**
 * Writes the application kit; one that is there already is written anew.
 *
 * @throws Error if the directory holds something else
 */
export function writeApplicationKit(directory: string, facts: TierFacts, stacks: readonly AssemblyStack[]): void {
  const factsFile = join(directory, kitPackages.python, 'tier.json');
  if (existsSync(directory) && readdirSync(directory).length > 0 && !existsSync(factsFile)) {
    throw new Error(`${directory} holds something other than an application kit; choose an empty or a new directory`);
  }
  mkdirSync(directory, { recursive: true });
  cpSync(assets, directory, { recursive: true, filter: (source) => !source.includes('__pycache__') });
  const authorities = rdsAuthorities(stacks);
  const poolerAuthorities = readPoolerAuthorities(stacks);
  for (const path of Object.values(kitPackages)) {
    writeFileSync(join(directory, path, 'tier.json'), `${JSON.stringify(facts, null, 2)}\n`);
    writeFileSync(join(directory, path, poolerImageFiles.serverTlsCa), authorities);
    if (poolerAuthorities === undefined) rmSync(join(directory, path, poolerAuthoritiesFile), { force: true });
    else writeFileSync(join(directory, path, poolerAuthoritiesFile), poolerAuthorities);
  }
  writeFileSync(join(directory, 'endpoints.env'), renderEndpoints(facts));
  writeFileSync(join(directory, 'README.md'), renderReadme(readFileSync(join(assets, 'README.md'), 'utf8'), facts));
}

/** Variables, or where their values are to be found. */
function renderEndpoints({ environment, endpoints }: TierFacts): string {
  const lines = Object.entries(endpoints).map(([name, { value, parameter, stack, output }]) =>
    value === null ? `# ${name}: SSM parameter ${parameter}, output ${output} of ${stack}` : `${name}=${value}`,
  );
  return [`# The database tier of ${environment}. No secrets.`, ...lines, ''].join('\n');
}

/** The image that verifies the databases holds the authorities that sign their certificates. */
function rdsAuthorities(stacks: readonly AssemblyStack[]): string {
  for (const stack of stacks) {
    for (const directory of stack.imageDirectories()) {
      const file = join(directory, poolerImageFiles.serverTlsCa);
      if (existsSync(file)) return readFileSync(file, 'utf8');
    }
  }
  throw new Error(`no image of the assembly holds ${poolerImageFiles.serverTlsCa}`);
}
