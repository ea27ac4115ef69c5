// Writes server-parameters.json beside this file: what a real PostgreSQL 17 says of its own parameters. Run it after an
// update of the npm package that holds the server.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { PostgresServer } from '../rehearsal/engines/postgres-server';
import type { ServerParameter } from './parameter-catalogue';

/** Libraries that RDS may preload and that bring parameters of their own. */
const libraries = ['pg_stat_statements', 'auto_explain', 'pg_prewarm'];

/** One row for each parameter, sorted by name. */
export async function readServerParameters(address: string): Promise<readonly ServerParameter[]> {
  const server = await PostgresServer.start({ address, parameters: { shared_preload_libraries: libraries.join(',') } });
  try {
    return await server.query<ServerParameter>(
      `SELECT name, vartype AS type, context, unit, min_val AS min, max_val AS max, enumvals AS values
         FROM pg_settings WHERE context <> 'internal' ORDER BY name COLLATE "C"`,
    );
  } finally {
    await server.stop();
  }
}

/** A parameter a line, so that an update of the server can be read in a diff. */
export function renderServerParameters(parameters: readonly ServerParameter[]): string {
  return `[\n${parameters.map((parameter) => `  ${JSON.stringify(withoutNulls(parameter))}`).join(',\n')}\n]\n`;
}

export function withoutNulls(parameter: ServerParameter): ServerParameter {
  return Object.fromEntries(Object.entries(parameter).filter(([, value]) => value !== null)) as unknown as ServerParameter;
}

if (require.main === module) {
  void readServerParameters('127.33.61.1').then((parameters) => writeFileSync(join(__dirname, 'server-parameters.json'), renderServerParameters(parameters)));
}
