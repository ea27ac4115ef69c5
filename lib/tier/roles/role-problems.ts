import { type ConfigProblem, Problems } from '../../config/config-problems';
import type { ResolvedTierConfig } from '../../config/resolve-config';
import { roleCatalogue } from './role-catalogue';

/** What is wrong with the roles of a configuration; none if the bootstrap can create them. */
export function roleProblems(config: ResolvedTierConfig): readonly ConfigProblem[] {
  const found = new Problems();
  const { applicationScramIterations, applicationStatementTimeoutMs, applicationTransactionTimeoutMs } = config.roles;

  // Each login of a client computes them once; a million keep it busy for about a second.
  found.range(
    'roles.applicationScramIterations',
    applicationScramIterations,
    1,
    1_000_000,
    "SCRAM iterations; PostgreSQL's default is 4096",
  );
  found.range('roles.applicationStatementTimeoutMs', applicationStatementTimeoutMs, 1, 2_147_483_647, 'milliseconds');
  found.range(
    'roles.applicationTransactionTimeoutMs',
    applicationTransactionTimeoutMs,
    1,
    2_147_483_647,
    'milliseconds',
  );
  if (applicationStatementTimeoutMs > applicationTransactionTimeoutMs) {
    found.add(
      'roles.applicationStatementTimeoutMs',
      `${applicationStatementTimeoutMs} ms would never be reached: transactions end after applicationTransactionTimeoutMs (${applicationTransactionTimeoutMs}); lower it to at most that`,
    );
  }

  const { passwordRotation } = config.roles;
  if ('off' in passwordRotation) {
    if (passwordRotation.off.trim().length < 10) {
      found.add(
        'roles.passwordRotation',
        `the reason "${passwordRotation.off}" does not say why passwords may stay as they are; write a sentence, or use { everyDays: 30 }`,
      );
    }
  } else {
    found.range('roles.passwordRotation.everyDays', passwordRotation.everyDays, 1, 1000, 'days');
  }

  const { groups, logins } = roleCatalogue(config, []);
  for (const { name } of [...groups, ...logins]) {
    const bytes = Buffer.byteLength(name);
    if (bytes > 63) {
      found.add(
        'database.databaseName',
        `the role "${name}" would have ${bytes} bytes; PostgreSQL cuts names at 63: shorten the database name by ${bytes - 63}`,
      );
    }
    if (name.startsWith('pg_')) {
      found.add(
        'database.databaseName',
        `the role "${name}" would begin with "pg_", which PostgreSQL keeps for itself; choose another database name`,
      );
    }
  }
  return found.all;
}
