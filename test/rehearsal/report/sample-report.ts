import type { DrillResult } from '../../../lib/rehearsal/drills/drill-result';
import { indexedQueries } from '../../../lib/rehearsal/load/indexed-queries';
import type { FidelityRow } from '../../../lib/rehearsal/report/fidelity';
import type { LatencyCurve } from '../../../lib/rehearsal/report/measurements';
import type { Check, Report } from '../../../lib/rehearsal/report/report';

const percents = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9];

/** A drill in which the primary is away for four seconds. */
const drill: DrillResult = {
  name: 'primary-restart',
  title: 'Primary restart',
  expected: 'no acknowledged write lost, at most 3 errors a client, back within 5 s',
  why: 'PgBouncer tries a server again after a second; a transaction under way is broken off.',
  asExpected: false,
  problems: ['the longest silence was 7.2 s, at most 5 s are expected'],
  acknowledged: 12_345,
  lost: 0,
  unknownOutcomes: 1,
  errors: 22,
  mostErrorsOfAClient: 2,
  mostInterruptionsOfAClient: 1,
  errorsAfterFirstStatement: 1,
  visibleErrors: 1,
  mostVisibleErrorsOfAClient: 1,
  longestSilenceSeconds: 7.2,
  recoverySeconds: 1.3,
  durationSeconds: 30,
  events: [
    { atSeconds: 8.2, what: 'the primary is stopped, as an operator does', kind: 'fault' },
    { atSeconds: 12.4, what: 'the primary starts', kind: 'repair' },
    { atSeconds: 13, what: 'the first client commits again', kind: 'note' },
  ],
  timeline: Array.from({ length: 30 }, (_, atSeconds) => ({ atSeconds, committed: atSeconds > 7 && atSeconds < 13 ? 0 : 480 + ((atSeconds * 37) % 90), errors: atSeconds === 8 ? 20 : atSeconds === 12 ? 2 : 0 })),
  metrics: [{ name: 'dns', title: 'Name moved after', value: 1.2, unit: 's', limit: { comparison: '≤', value: 5 } }],
};

function curve(name: string, medianMs: number): LatencyCurve {
  return { name, points: percents.map((percent) => ({ percent, ms: medianMs * (0.4 + 0.3 / (1.001 - percent / 100)) })) };
}

const poolCheck: Check = { name: 'pool', title: 'Connections of its pool', target: '= 60', measured: 60, unit: 'connections', verdict: 'met' };
const retryCheck: Check = { name: 'replacement-errors', title: 'Errors while every pooler is replaced', target: '= 0', measured: 0, unit: 'errors', verdict: 'met' };

function resource(resourceType: string, logicalId: string): Pick<FidelityRow, 'resourceType' | 'stackName' | 'logicalId' | 'constructPath'> {
  return { resourceType, stackName: 'bookedbarber-production-data', logicalId, constructPath: `production/data/${logicalId}` };
}

/** A report in which everything occurs that a report can show. */
export const sampleReport: Report = {
  schemaVersion: 1,
  environment: 'production',
  startedAt: '2026-01-01T00:00:00.000Z',
  durationSeconds: 312,
  machine: { cores: 2, memoryMiB: 24_105 },
  checks: [
    { name: 'concurrent-connections', title: 'Concurrent connections', target: '≥ 1,000', measured: 1000, unit: 'connections', verdict: 'met', detail: '48,000 queries, 0 failed', direct: { measured: 494, detail: 'then the server says: sorry, too many clients already' } },
    { name: 'indexed-query-p95', title: 'Indexed query, p95', target: '< 50', measured: 83.1, unit: 'ms', verdict: 'missed', direct: { measured: 7.8 } },
    { name: 'read-queries', title: 'Read throughput', target: '≥ 10,000', measured: 5685, unit: 'queries/s', verdict: 'limited by this machine', direct: { measured: 4980 } },
    { name: 'database-cpu', title: 'Database CPU', target: '< 70', measured: 35.5, unit: '%', verdict: 'extrapolated', detail: 'primary: 0.414 ms × 1000/s ÷ 4 vCPUs = 10 %' },
  ],
  fidelity: [
    {
      ...resource('AWS::RDS::DBInstance', 'Primary'),
      fidelity: 'scaled',
      how: 'PostgreSQL 17.10 for 17.9 that withholds what RDS withholds',
      scaled: ['shared_buffers is 1024 MB'],
      withoutEffect: [{ why: 'its storage is the disk of this machine', properties: ['Iops', 'StorageType'] }],
    },
    { ...resource('AWS::RDS::DBParameterGroup', 'Parameters'), fidelity: 'as it is', how: 'the server reads them' },
    ...['One', 'Two', 'Three', 'Four'].map((logicalId): FidelityRow => ({ ...resource('AWS::IAM::Role', logicalId), fidelity: 'not rehearsed', how: 'everybody may do everything here' })),
    { ...resource('AWS::New::Thing', 'Thing'), fidelity: 'not known', how: 'this type is not known to the rehearsal' },
  ],
  scaled: ['shared_buffers is 1024 MB'],
  notProven: ["RDS's own failover time"],
  drills: [drill, { ...drill, name: 'pooler-killed', title: 'Pooler killed', asExpected: true, problems: [], events: drill.events.slice(0, 1), recoverySeconds: null }],
  application: [
    { name: 'fastapi-psycopg2', title: 'FastAPI, SQLAlchemy 1.4, psycopg2', requestsPerSecond: 81.2, p95Ms: 61.4, longestSilenceSeconds: 1.7, checks: [poolCheck, retryCheck] },
    { name: 'node-postgres', title: 'Node.js, node-postgres', requestsPerSecond: 163, p95Ms: null, longestSilenceSeconds: 1.2, checks: [retryCheck] },
  ],
  latencies: [{ name: 'indexed-query', title: 'Indexed query at half of the measured capacity', targetMs: 50, curves: [curve('through the pooler', 2.2), curve('directly at the primary', 0.7)] }],
  indexedQueries: indexedQueries.map(({ index, sql }, position) => ({
    index,
    sql,
    used: position !== 3,
    plan: position === 3 ? 'Seq Scan on appointments' : `Index Scan using ${index}`,
    pooled: { p50Ms: 1 + position, p95Ms: 2 + position * 2, p99Ms: 5 + position * 4 },
    direct: { p50Ms: 0.6 + position, p95Ms: 1.5 + position * 2, p99Ms: 4 + position * 4 },
  })),
  pool: {
    phases: [
      { title: 'logins', fromSeconds: 0, toSeconds: 20 },
      { title: "the guide's load test", fromSeconds: 20, toSeconds: 80 },
      { title: 'indexed queries', fromSeconds: 80, toSeconds: 120 },
    ],
    samples: Array.from({ length: 120 }, (_, atSeconds) => ({
      atSeconds,
      transactionsPerSecond: atSeconds < 20 ? 80 : 1500 + ((atSeconds * 91) % 400),
      clients: 100,
      clientsWaiting: atSeconds > 20 && atSeconds < 80 ? (atSeconds * 7) % 50 : 0,
      serversBusy: atSeconds < 20 ? 1 : 30 + ((atSeconds * 13) % 20),
      serversIdle: atSeconds < 20 ? 0 : 10,
    })),
  },
  topology: {
    nodes: [
      { id: 'clients', column: 0, title: 'pgbench', details: ['4 application hosts'] },
      { id: 'balancer', column: 1, title: 'load balancer', details: ['haproxy :6432'] },
      { id: 'task-1', column: 2, title: 'PgBouncer 1', details: ['25 server connections'] },
      { id: 'task-2', column: 2, title: 'PgBouncer 2', details: ['25 server connections'] },
      { id: 'primary', column: 3, title: 'bookedbarber-prod', details: ['primary, db.r7g.xlarge'] },
      { id: 'replica', column: 3, title: 'bookedbarber-read-replica', details: ['replica, db.r7g.xlarge'] },
    ],
    links: [
      { from: 'clients', to: 'balancer' },
      { from: 'balancer', to: 'task-1' },
      { from: 'balancer', to: 'task-2' },
      { from: 'task-1', to: 'primary' },
      { from: 'task-1', to: 'replica' },
      { from: 'task-2', to: 'primary' },
      { from: 'task-2', to: 'replica' },
      { from: 'primary', to: 'replica' },
    ],
  },
};
