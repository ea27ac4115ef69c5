import { findInstanceClass, similarInstanceClasses } from './instance-classes';

/** Something that cannot be deployed: where it stands in the configuration, what is wrong, and the fix. */
export interface ConfigProblem {
  /** Path of the field, for example `database.storage.iops`. */
  readonly field: string;
  /** The value given, the limit and the fix. */
  readonly message: string;
}

/** Collects problems; each method adds at most one. */
export class Problems {
  readonly all: ConfigProblem[] = [];

  add(field: string, message: string): void {
    this.all.push({ field, message });
  }

  range(field: string, value: number, least: number, most: number, unit: string): void {
    if (!Number.isInteger(value) || value < least || value > most) {
      this.add(field, `${value} is not a whole number from ${least} to ${most} (${unit})`);
    }
  }

  oneOf(field: string, value: number, allowed: readonly number[]): void {
    if (!allowed.includes(value)) this.add(field, `${value} is not one of ${allowed.join(', ')}`);
  }

  engineVersion(field: string, version: string): void {
    if (!/^17\.\d{1,2}$/.test(version)) this.add(field, `"${version}" is not a minor version of PostgreSQL 17, for example "17.9"`);
  }

  instanceClass(field: string, name: string): void {
    if (!findInstanceClass(name)) {
      const hint = name.startsWith('db.') ? `write it without the prefix: "${name.slice(3)}"` : `choose one of ${similarInstanceClasses(name).join(', ')}`;
      this.add(field, `"${name}" is not an RDS instance class for PostgreSQL 17; ${hint}`);
    }
  }

  identifier(field: string, identifier: string | undefined): void {
    if (identifier !== undefined && !/^(?!.*--)[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(identifier)) {
      this.add(field, `"${identifier}" is not an RDS identifier: up to 63 lower-case letters, digits and single hyphens, beginning with a letter`);
    }
  }
}
