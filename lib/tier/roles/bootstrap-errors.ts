/** An error of PostgreSQL or of the network below it. */
interface CodedError extends Error {
  /** SQLSTATE, or Node's name of a network or TLS error. */
  readonly code?: string;
}

/** Where the master was to log in. */
export interface MasterLogin {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly secretArn: string;
}

/** Says why the master could not log in, and what to do. */
export function connectionError(error: CodedError, login: MasterLogin): Error {
  const { host, port, database, username, secretArn } = login;
  const place = `${host}:${port}`;
  const explanation = ((): string => {
    switch (error.code) {
      case '28P01':
        return `${place} refuses the password that secret ${secretArn} holds for "${username}"; if it was changed on the instance, put the new one into the secret`;
      case '28000':
        return `${place} does not let "${username}" in to database "${database}" (${error.message}); the tier logs in as the master of the instance, over TLS`;
      case '3D000':
        return `${place} has no database "${database}"; RDS creates it with the instance: set databaseName to the one that it has`;
      case '53300':
        return `${place} has no connection left; end idle sessions or raise maxConnections, and deploy again`;
      case '57P03':
        return `${place} is starting or stopping (${error.message}); deploy again once the instance is available`;
      case 'ENOTFOUND':
        return `the name ${host} does not exist; deploy the data stack first`;
      default:
        return tlsErrors.has(error.code ?? '')
          ? `the certificate of ${place} cannot be verified (${error.message}); it must be signed by an authority in NODE_EXTRA_CA_CERTS and name ${host}`
          : `${place} does not answer (${error.message}); deploy again once the instance is available, and check that the bootstrap's security group may reach it`;
    }
  })();
  return new Error(`the bootstrap of roles cannot log in: ${explanation}`, { cause: error });
}

/** Says which statement of a change of roles failed, why, and what to do. */
export function statementError(error: CodedError, what: string, role: string, who = 'the bootstrap of roles'): Error {
  const fix = statementFixes[error.code ?? '']?.(role);
  return new Error(`${who} could not ${what}: ${error.message}${fix ? `; ${fix}` : ''}`, {
    cause: error,
  });
}

/** https://www.postgresql.org/docs/17/errcodes-appendix.html */
const statementFixes: Readonly<Record<string, (role: string) => string>> = {
  '42501': (role) =>
    `"${role}" lacks the right to; a role that somebody else created needs GRANT <role> TO ${role} WITH ADMIN OPTION, by that one`,
  '25006': () => 'the endpoint is a replica: give the bootstrap the primary',
  '55P03': () =>
    'another session holds the lock for over 30 s: deploy again when the other deploy, rotation or schema change is done',
  '57014': () => 'it took over 60 s: look for what blocks it in pg_stat_activity, and deploy again',
  '0A000': () => 'this version of PostgreSQL on RDS does not offer it: take it out of the list',
  '53100': () => 'the storage is full: raise sizeGiB',
};

const tlsErrors = new Set([
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
