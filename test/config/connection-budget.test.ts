import { connectionBudget } from '../../lib/config/connection-budget';
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

  it('counts everybody who may come to an instance, at the most tasks and during a deployment', () => {
    const rows = budgetOf().instances.map(({ instance, rows, total }) => [
      instance,
      ...rows.map(({ use, connections }) => `${use} ${connections}`),
      `= ${total}`,
    ]);
    expect(rows).toEqual([
      [
        'the primary',
        'pooler 200',
        'bookedbarber_migrations 5',
        'bookedbarber_migrations_alternate 5',
        'bookedbarber_collector 5',
        'bookedbarber_collector_alternate 5',
        'bookedbarber_rotation 7',
        'index builds 4',
        'master 3',
        'reserved 5',
        '= 239',
      ],
      ['replica replica-1', 'pooler 200', 'bookedbarber_collector 5', 'bookedbarber_collector_alternate 5', 'reserved 5', '= 215'],
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
      ['replica a', 215],
      ['replica b', 215],
      ['replica c', 15],
    ]);
  });
});

describe('the connection budget refuses', () => {
  it('pools that exceed what is free, with both ways out', () => {
    expect(budgetOf({ pooler: { poolSize: 300, readOnlyPoolSize: 280 } }).problems).toEqual([
      'pool of 300 × 2 during a deployment = 600 exceeds the 461 connections free on the primary; lower poolSize to 228, or raise its maxConnections to 639',
      'pool of 280 × 2 during a deployment = 560 exceeds the 485 connections free on replica replica-1; lower readOnlyPoolSize to 240, or raise its maxConnections to 575',
    ]);
  });

  it('nothing that its own advice leads to', () => {
    expect(budgetOf({ pooler: { poolSize: 228, readOnlyPoolSize: 240 } }).problems).toEqual([]);
    expect(
      budgetOf({
        database: { ...base.database, maxConnections: 639 },
        pooler: { poolSize: 300, readOnlyPoolSize: 280 },
      }).problems,
    ).toEqual([]);
  });

  it('instances that have no room for any pool, with the one way out', () => {
    expect(
      budgetOf({ database: { ...base.database, maxConnections: 25 }, replicas: { a: { maxConnections: 500 } } })
        .problems,
    ).toEqual([
      'pool of 100 × 2 during a deployment = 200 exceeds the 0 connections free on the primary; raise its maxConnections to 239',
    ]);
  });

  it('pools that leave a task nothing', () => {
    expect(budgetOf({ pooler: { poolSize: 3, maxTasks: 4 } }).problems).toEqual([
      'poolSize of 3 leaves no connection for each of 4 tasks; raise it to at least 4, or lower maxTasks',
    ]);
  });
});
