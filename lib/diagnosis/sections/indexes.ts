import { ageOf, index, isConstraint, qualified, size, sizeOf, table, type InstanceSection } from './instance-section';

/** Which indexes are missing their purpose. */
export const indexSections: readonly InstanceSection[] = [
  {
    name: 'unused-indexes',
    title: 'Unused indexes',
    about: 'Indexes that no instance has scanned, the largest first. Those that enforce something are left out.',
    columns: [index, table, size, { key: 'statisticsSeconds', title: 'unused for at least', format: 'seconds' }],
    sql: () => `
      SELECT ${qualified('schemaname', 'indexrelname')} AS index, ${qualified('schemaname', 's.relname')} AS table, ${sizeOf('c')} AS "sizeBytes", idx_scan::float8 AS scans,
             ${ageOf('coalesce((SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()), pg_postmaster_start_time())')} AS "statisticsSeconds"
        FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid) JOIN pg_class c ON c.oid = i.indexrelid
       WHERE i.indisvalid AND NOT i.indisunique AND NOT i.indisreplident AND NOT ${isConstraint}`,
  },
  {
    name: 'duplicate-indexes',
    title: 'Duplicate indexes',
    about: 'Indexes that another one makes needless: the same, or one that begins with the same columns.',
    on: 'one',
    columns: [index, table, size, { key: 'columns', title: 'columns' }, { key: 'why', title: 'because' }, { key: 'covering', title: 'of' }],
    // Compared by columns of the catalog: pg_get_indexdef() may wait for a lock of the table.
    sql: () => `
      WITH indexes AS (
        SELECT i.*, c.relam, ${sizeOf('c')} AS bytes, ${qualified('n.nspname', 'c.relname')} AS name, ${qualified('n.nspname', 't.relname')} AS of_table,
               ${isConstraint} AS enforces,
               (SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = i.indexrelid) AS columns
          FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE i.indisvalid AND c.relkind = 'i' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast'))
      SELECT DISTINCT ON (a.of_table, a.name) a.name AS index, a.of_table AS table, a.bytes AS "sizeBytes", a.columns,
             CASE WHEN a.indkey::text = b.indkey::text THEN 'the same' ELSE 'begins' END AS why, b.name AS covering
        FROM indexes a JOIN indexes b ON a.indrelid = b.indrelid AND a.indexrelid <> b.indexrelid AND a.relam = b.relam
         AND NOT a.enforces AND NOT a.indisreplident AND (NOT a.indisunique OR b.indisunique AND a.indkey::text = b.indkey::text)
         AND a.indpred::text IS NOT DISTINCT FROM b.indpred::text
       WHERE (a.indkey::text = b.indkey::text AND a.indnkeyatts = b.indnkeyatts AND a.indclass::text = b.indclass::text AND a.indoption::text = b.indoption::text
              AND a.indcollation::text = b.indcollation::text AND a.indexprs::text IS NOT DISTINCT FROM b.indexprs::text
              AND (b.enforces OR b.indisunique AND NOT a.indisunique OR NOT b.indisunique = NOT a.indisunique AND b.indexrelid < a.indexrelid))
          OR (a.relam = (SELECT oid FROM pg_am WHERE amname = 'btree') AND a.indexprs IS NULL AND b.indexprs IS NULL AND a.indnatts = a.indnkeyatts AND a.indnkeyatts < b.indnkeyatts
              AND b.indkey::text LIKE a.indkey::text || ' %' AND b.indclass::text LIKE a.indclass::text || ' %'
              AND b.indoption::text LIKE a.indoption::text || ' %' AND b.indcollation::text LIKE a.indcollation::text || ' %')
       ORDER BY a.of_table, a.name, why DESC, b.name LIMIT 50`,
  },
  {
    name: 'invalid-indexes',
    title: 'INVALID indexes',
    about: 'Indexes that no query may use.',
    on: 'one',
    columns: [index, table, size, { key: 'state', title: 'state' }],
    sql: () => `
      SELECT ${qualified('n.nspname', 'c.relname')} AS index, ${qualified('n.nspname', 't.relname')} AS table, ${sizeOf('c')} AS "sizeBytes",
             CASE WHEN building.pid IS NOT NULL THEN 'is being built by pid ' || building.pid
                  WHEN c.relkind = 'I' THEN 'a partition has no such index yet'
                  WHEN i.indisready THEN 'its build failed; every write still keeps it up to date'
                  ELSE 'its build failed' END AS state, building.pid IS NOT NULL AS building
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_stat_progress_create_index building ON building.index_relid = i.indexrelid
       WHERE NOT i.indisvalid AND n.nspname <> 'pg_toast' ORDER BY 1`,
  },
];
