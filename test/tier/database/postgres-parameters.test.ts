import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import type { TierConfig } from '../../../lib/config/tier-config';
import { type InstanceRole, postgresParameters } from '../../../lib/tier/database/postgres-parameters';

const primary: InstanceRole = { role: 'primary' };
const replica: InstanceRole = { role: 'replica', maxConnections: 600 };

function values(instance: InstanceRole, change: Partial<TierConfig['database']> = {}): Record<string, string> {
  const { production } = environments;
  const { database } = resolveConfig('production', { ...production, database: { ...production.database, ...change } });
  return Object.fromEntries(postgresParameters(database, instance).map(({ name, value }) => [name, value]));
}

describe('postgresParameters', () => {
  it('logs slow statements and keeps the values of customers out of the log', () => {
    expect(values(primary)).toMatchObject({ log_min_duration_statement: '1000', log_parameter_max_length: '0', log_statement: 'none' });
    expect(values(primary, { logMinDurationStatementMs: 250 })).toMatchObject({ log_min_duration_statement: '250' });
  });

  it('loads pg_stat_statements without recording ALTER ROLE', () => {
    expect(values(primary)).toMatchObject({ shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track_utility': '0' });
  });

  it('gives a replica its own max_connections and what long reads need', () => {
    expect(values(primary)).toMatchObject({ max_connections: '500' });
    expect(values(primary)).not.toHaveProperty('hot_standby_feedback');
    expect(values(replica)).toMatchObject({ max_connections: '600', hot_standby_feedback: '1' });
  });

  it('keeps WAL within 5 % of a small disk', () => {
    expect(values(primary, { storage: { sizeGiB: 20 } })).toMatchObject({ max_wal_size: '1024', min_wal_size: '256' });
    expect(values(primary)).toMatchObject({ max_wal_size: '8192' });
  });

  it("lets the operator's parameters win over the tier's", () => {
    expect(values(primary, { parameters: { random_page_cost: '1.5', work_mem: '16384' } })).toMatchObject({
      random_page_cost: '1.5',
      work_mem: '16384',
    });
  });

  it('is sorted by name, each name once', () => {
    const names = Object.keys(values(replica));
    expect(names).toEqual([...names].sort());
    expect(new Set(names).size).toBe(names.length);
  });
});
