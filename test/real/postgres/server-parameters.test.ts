import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import { readServerParameters, withoutNulls } from '../../../lib/postgres/make-server-parameters';
import { findParameter, needsRestart } from '../../../lib/postgres/parameter-catalogue';
import { parameterProblem } from '../../../lib/postgres/parameter-problem';
import serverParameters from '../../../lib/postgres/server-parameters.json';
import { postgresParameters } from '../../../lib/tier/database/postgres-parameters';

describe('the committed parameters', () => {
  it('are those of the server that is installed; npm run make:parameters writes them anew', async () => {
    expect((await readServerParameters('127.35.8.1')).map(withoutNulls)).toEqual(serverParameters);
  });

  it('tell what waits for a restart', () => {
    expect(['max_connections', 'shared_preload_libraries', 'work_mem', 'rds.force_ssl', 'rds.logical_replication'].map(needsRestart)).toEqual([true, true, false, false, true]);
    expect([needsRestart('max_wall_size'), findParameter('max_wall_size')]).toEqual([undefined, undefined]);
  });

  it.each([{ role: 'primary' } as const, { role: 'replica', maxConnections: 500 } as const])("take every parameter of the tier's own for a $role", (role) => {
    const own = Object.entries(environments).flatMap(([name, config]) => postgresParameters(resolveConfig(name, config).database, role));
    expect(own.flatMap(({ name, value }) => parameterProblem(name, value) ?? [])).toEqual([]);
  });
});
