import { rdsManaged, rdsOnlyParameters } from './rds-parameters';
import serverParameters from './server-parameters.json';

/** A parameter as `pg_settings` has it. https://www.postgresql.org/docs/17/view-pg-settings.html */
export interface ServerParameter {
  readonly name: string;
  readonly type: 'bool' | 'enum' | 'integer' | 'real' | 'string';
  /** When a new value takes effect: `postmaster` needs a restart. */
  readonly context: 'postmaster' | 'sighup' | 'superuser-backend' | 'backend' | 'superuser' | 'user';
  /** Of the numbers that RDS takes, for example `8kB`. */
  readonly unit?: string;
  readonly min?: string;
  readonly max?: string;
  /** Those that an enum takes. */
  readonly values?: readonly string[];
}

const catalogue: ReadonlyMap<string, ServerParameter> = new Map(
  [...(serverParameters as readonly ServerParameter[]), ...rdsOnlyParameters].map((parameter) => [parameter.name, parameter]),
);

/** What is known of a parameter; undefined if neither PostgreSQL 17 nor RDS has it. */
export function findParameter(name: string): ServerParameter | undefined {
  return catalogue.get(name);
}

/** True if RDS sets the parameter itself and lets nobody change it. */
export function isRdsManaged(name: string): boolean {
  return rdsManaged.has(name);
}

/** Whether a new value waits for a restart; undefined if the parameter is not known. */
export function needsRestart(name: string): boolean | undefined {
  const parameter = findParameter(name);
  return parameter && parameter.context === 'postmaster';
}

/** Names of parameters that contain a part of the given one, or are contained in it; at most three. */
export function similarParameters(name: string): readonly string[] {
  const words = name.split(/[._]/).filter((word) => word.length > 2);
  return [...catalogue.keys()]
    .map((candidate) => ({ candidate, shared: words.filter((word) => candidate.includes(word)).length, apart: Math.abs(candidate.length - name.length) }))
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared || a.apart - b.apart)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}
