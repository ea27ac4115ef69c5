import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import type { PoolerConfig } from '../../../lib/config/tier-config';
import { taskCapacity, taskCapacityProblems } from '../../../lib/tier/pooler/task-capacity';

const pooler = (change: PoolerConfig) =>
  resolveConfig('production', { ...environments.production, pooler: { ...environments.production.pooler, ...change } })
    .pooler;

describe('a task', () => {
  it('gets its whole share of the pools at the most tasks', () => {
    expect(taskCapacity(pooler({ poolSize: 100, readOnlyPoolSize: 50, maxTasks: 3 }))).toMatchObject({
      serverConnections: 33,
      readOnlyServerConnections: 16,
    });
  });

  it('takes all clients when they are spread by their address, and sessions of its console', () => {
    expect(taskCapacity(pooler({ maxClientConnections: 1000, minTasks: 2 })).clientConnections).toBe(1000 + 10);
  });

  it('takes its share at the fewest tasks and a quarter when they are spread evenly', () => {
    expect(
      taskCapacity(pooler({ maxClientConnections: 1000, minTasks: 3, maxTasks: 3, sourceIpStickiness: false }))
        .clientConnections,
    ).toBe(417 + 10);
  });

  it('may open files for clients, servers and itself', () => {
    expect(taskCapacity(pooler({ maxClientConnections: 1000 })).openFiles).toBe(1000 + 10 + 25 + 25 + 200);
  });
});

describe('a task is refused', () => {
  it.each<[string, PoolerConfig, string]>([
    [
      'when its share of a pool is nothing',
      { readOnlyPoolSize: 3 },
      'readOnlyPoolSize of 3 leaves no connection for each of 4 tasks; raise it to at least 4, or lower maxTasks',
    ],
    ['when a pool is no whole number', { poolSize: 12.5 }, 'poolSize of 12.5 is not a whole number of connections'],
    [
      'when its clients need more files than Fargate gives',
      { maxClientConnections: 70_000, taskMemoryMiB: 3072 },
      'maxClientConnections of 70000 are up to 70010 clients for one task, which needs 70260 open files; Fargate gives it 65535: lower maxClientConnections',
    ],
    [
      'when its clients need more memory than it has',
      { maxClientConnections: 30_000, taskCpu: 256, taskMemoryMiB: 512 },
      'maxClientConnections of 30000 are up to 30010 clients for one task, which needs about 1251 MiB; raise taskMemoryMiB (512) to that or more, or lower maxClientConnections',
    ],
  ])('%s', (_title, change, problem) => {
    expect(taskCapacityProblems(pooler(change))).toEqual([problem]);
  });
});
