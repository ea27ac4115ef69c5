import { ageOf, instance, qualified, size, sizeOf, table, type InstanceSection } from './instance-section';

/** What the tables suffer from. */
export const tableSections: readonly InstanceSection[] = [
  {
    name: 'sequential-scans',
    title: 'Missing-index candidates',
    about: 'Tables read from end to end at least {sequentialScans} times, of at least {sequentialScanRows} rows each time.',
    columns: [
      instance,
      table,
      size,
      { key: 'rows', title: 'rows', format: 'count' },
      { key: 'scans', title: 'sequential scans', format: 'count' },
      { key: 'rowsPerScan', title: 'rows/scan', format: 'count' },
      { key: 'indexScans', title: 'index scans', format: 'count' },
    ],
    sql: (_server, { sequentialScans, sequentialScanRows }) => `
      SELECT ${qualified('schemaname', 's.relname')} AS table, ${sizeOf('c')} AS "sizeBytes", greatest(n_live_tup, c.reltuples)::float8 AS rows, seq_scan::float8 AS scans,
             round(seq_tup_read::numeric / seq_scan)::float8 AS "rowsPerScan", coalesce(idx_scan, 0)::float8 AS "indexScans"
        FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
       WHERE seq_scan >= ${sequentialScans} AND seq_tup_read >= ${sequentialScanRows} * seq_scan ORDER BY seq_tup_read DESC LIMIT 20`,
  },
  {
    name: 'dead-rows',
    title: 'Bloat hints',
    about: 'Tables of which at least {deadRowsPercent}, and {deadRows} rows, are dead: every scan reads them too.',
    on: 'primary',
    columns: [
      table,
      size,
      { key: 'deadRows', title: 'dead rows', format: 'count' },
      { key: 'deadPercent', title: 'of all', format: 'percent' },
      { key: 'vacuumedSecondsAgo', title: 'last vacuumed', format: 'seconds' },
    ],
    sql: (_server, { deadRows, deadRowsPercent }) => `
      SELECT ${qualified('schemaname', 's.relname')} AS table, ${sizeOf('c')} AS "sizeBytes", n_dead_tup::float8 AS "deadRows",
             100.0::float8 * n_dead_tup / (n_live_tup + n_dead_tup) AS "deadPercent", ${ageOf('greatest(last_vacuum, last_autovacuum)')} AS "vacuumedSecondsAgo"
        FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
       WHERE n_dead_tup >= ${deadRows} AND 100.0 * n_dead_tup / (n_live_tup + n_dead_tup) >= ${deadRowsPercent} ORDER BY n_dead_tup DESC LIMIT 20`,
  },
];
