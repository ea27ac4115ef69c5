import { connectionBudget, connectionsLeftToPooler } from '../../lib/config/connection-budget';
import { environments } from '../../lib/config/environments';
import { resolveConfig } from '../../lib/config/resolve-config';
import type { TierConfig } from '../../lib/config/tier-config';

const base: TierConfig = environments.production;

function budgetOf(change: Partial<TierConfig> = {}) {
  return connectionBudget(resolveConfig('production', { ...base, ...change }));
}

describe('the connection budget', () => {
  it.each(Object.entries(environments))('of %s fits', (name, config) => {
    const { instances, problems } = connectionBudget(resolveConfig(name, config));
    expect(problems).toEqual([]);
    for (const { total, maxConnections } of instances) expect(total).toBeLessThanOrEqual(maxConnections);
  });

  it('counts everybody who may come to an instance, at the most tasks, during a deployment and while the one before drains', () => {
    const rows = budgetOf().instances.map(({ instance, rows, total }) => [
      instance,
      ...rows.map(({ use, connections }) => `${use} ${connections}`),
      `= ${total}`,
    ]);
    expect(rows).toEqual([
      [
        'the primary',
        'pooler 300',
        'bookedbarber_migrations 5',
        'bookedbarber_migrations_alternate 5',
        'bookedbarber_collector 5',
        'bookedbarber_collector_alternate 5',
        'bookedbarber_rotation 7',
        'index builds 4',
        'master 3',
        'reserved 5',
        '= 339',
      ],
      ['replica replica-1', 'pooler 300', 'bookedbarber_collector 5', 'bookedbarber_collector_alternate 5', 'reserved 5', '= 315'],
    ]);
  });

  it('gives each task its whole share', () => {
    expect(budgetOf({ pooler: { poolSize: 101, readOnlyPoolSize: 50, maxTasks: 4 } })).toMatchObject({
      poolSizePerTask: 25,
      readOnlyPoolSizePerTask: 12,
    });
  });

  it('has every replica in use carry the read-only alias alone, and none that retires', () => {
    const { instances } = budgetOf({ replicas: { a: {}, b: {}, c: { retiring: true } } });
    expect(instances.slice(1).map(({ instance, total }) => [instance, total])).toEqual([
      ['replica a', 315],
      ['replica b', 315],
      ['replica c', 15],
    ]);
  });
});

describe('what is left to the roles of the pooler', () => {
  it('is what nobody else is promised, on the instance that has fewest', () => {
    const left = (change: Partial<TierConfig>): number => connectionsLeftToPooler(resolveConfig('production', { ...base, ...change }));
    expect(left({})).toBe(461);
    expect(left({ replicas: { a: { maxConnections: 700 }, b: { maxConnections: 400 } } })).toBe(385);
  });
});

describe('the connection budget refuses', () => {
  it('pools that exceed what is free, with both ways out', () => {
    expect(budgetOf({ pooler: { poolSize: 300, readOnlyPoolSize: 280 } }).problems).toEqual([
      'pool of 300 × 3 during deployments = 900 exceeds the 461 connections free on the primary; lower poolSize to 152, or raise its maxConnections to 939',
      'pool of 280 × 3 during deployments = 840 exceeds the 485 connections free on replica replica-1; lower readOnlyPoolSize to 160, or raise its maxConnections to 855',
    ]);
  });

  it('nothing that its own advice leads to', () => {
    expect(budgetOf({ pooler: { poolSize: 152, readOnlyPoolSize: 160 } }).problems).toEqual([]);
    expect(
      budgetOf({
        database: { ...base.database, maxConnections: 939 },
        pooler: { poolSize: 300, readOnlyPoolSize: 280 },
      }).problems,
    ).toEqual([]);
  });

  it('instances that have no room for any pool, with the one way out', () => {
    expect(
      budgetOf({ database: { ...base.database, maxConnections: 25 }, replicas: { a: { maxConnections: 500 } } })
        .problems,
    ).toEqual([
      'pool of 100 × 3 during deployments = 300 exceeds the 0 connections free on the primary; raise its maxConnections to 339',
    ]);
  });

  it('pools that leave a task nothing', () => {
    expect(budgetOf({ pooler: { poolSize: 3, maxTasks: 4 } }).problems).toEqual([
      'poolSize of 3 leaves no connection for each of 4 tasks; raise it to at least 4, or lower maxTasks',
    ]);
  });
});
