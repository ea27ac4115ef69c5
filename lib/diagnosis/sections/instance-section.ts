import type { Limits, SectionHead } from '../diagnosis';

/** pg_stat_statements as a database has it. */
export interface StatementStatistics {
  /** Where it is installed, quoted. */
  readonly schema: string;
  /** Its columns have `exec_time` in their names since 1.8; an upgraded server may still have an older one. */
  readonly execTime: boolean;
}

/** What a server says of itself before it is asked for more. */
export interface ServerFacts {
  /** For example 170010. */
  readonly version: number;
  readonly standby: boolean;
  /** Undefined without the extension. */
  readonly statements: StatementStatistics | undefined;
}

export interface InstanceSection extends SectionHead {
  /** `'one'`: every instance would say the same, so the primary's word is taken. @default 'every' */
  readonly on?: 'every' | 'primary' | 'one';
  /** Keys of the rows are those of the columns, and some for whoever compares instances. Undefined where there is nothing to ask. */
  readonly sql: (server: ServerFacts, limits: Limits) => string | undefined;
}

// Sizes are those of the last VACUUM or ANALYZE: pg_relation_size() would wait behind the very locks that are looked for.
export const sizeOf = (relation: string): string => `${relation}.relpages::float8 * current_setting('block_size')::int`;
export const ageOf = (time: string): string => `extract(epoch FROM clock_timestamp() - ${time})::float8`;
export const qualified = (schema: string, name: string): string => `quote_ident(${schema}) || '.' || quote_ident(${name})`;
// The type of a backend is hidden from roles that may not see it; that it is there is not.
export const clientBackends = "coalesce(backend_type, 'client backend') = 'client backend' AND datid IS NOT NULL AND pid <> pg_backend_pid()";
export const isConstraint = 'EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)';

export const instance = { key: 'instance', title: 'instance' } as const;
export const pid = { key: 'pid', title: 'pid' } as const;
export const user = { key: 'user', title: 'user' } as const;
export const application = { key: 'application', title: 'application' } as const;
export const query = { key: 'query', title: 'statement' } as const;
export const index = { key: 'index', title: 'index' } as const;
export const table = { key: 'table', title: 'table' } as const;
export const size = { key: 'sizeBytes', title: 'size', format: 'bytes' } as const;
