'use strict';

/**
 * The application's database from Node.js: node-postgres 8 and the AWS SDK for JavaScript 3.
 *
 *   const { openDatabase } = require('./bookedbarber-db');
 *   const database = await openDatabase();
 *
 *   await database.write((client) => client.query('INSERT …'));   // a transaction on the primary
 *   await database.read((client) => client.query('SELECT …'));    // one on a replica, READ ONLY
 */

const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { Client, Pool } = require('pg');

const tier = JSON.parse(readFileSync(join(__dirname, 'tier.json'), 'utf8'));

/** Longer than a pooler takes to be replaced or a server to restart, shorter than a web request lasts. */
const retryMs = 10_000;
/** A rotation is noticed after that long at the latest; what it replaces stays valid for much longer. */
const secretMaxAgeMs = 300_000;

/** The guide's 20 + 40 connections of a process, for reads and for writes apart; recycled after an hour. */
const poolSettings = {
  max: 60,
  idleTimeoutMillis: 60_000,
  maxLifetimeSeconds: 3600,
  connectionTimeoutMillis: tier.pooler.queryWaitTimeoutSeconds * 1000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 30_000,
  // Neither `options` nor `statement_timeout`: the pooler refuses startup parameters that it does not know.
  application_name: 'bookedbarber',
};

async function openDatabase() {
  const credentials = new Credentials(await endpoint('APPLICATION_SECRET_ARN'));
  const readPool = createPool(await endpoint('READ_REPLICA_URL'), credentials);
  const writePool = createPool(await endpoint('DATABASE_URL'), credentials);
  return {
    read: (work) => inTransaction(readPool, 'BEGIN READ ONLY', work),
    write: (work) => inTransaction(writePool, 'BEGIN', work),
    close: () => Promise.all([readPool.end(), writePool.end()]),
  };
}

/** Runs the work in a transaction. An error before its first statement is tried again, any later one never. */
async function inTransaction(pool, begin, work) {
  const client = await opened(pool, begin);
  let broken;
  try {
    const result = await work(client);
    const { command } = await client.query('COMMIT');
    // So PostgreSQL answers, without an error, where the work has caught one.
    if (command === 'ROLLBACK') throw new Error('rolled back: a statement of the transaction had failed');
    return result;
  } catch (error) {
    // A connection that cannot roll back is thrown away with its transaction.
    await client.query('ROLLBACK').catch((failure) => (broken = failure));
    throw error;
  } finally {
    client.release(broken);
  }
}

async function opened(pool, begin) {
  const deadline = Date.now() + retryMs;
  for (let longestMs = 0; ; longestMs = Math.min(Math.max(2 * longestMs, 50), 1000)) {
    let client;
    try {
      client = await pool.connect();
      await client.query(begin);
      return client;
    } catch (error) {
      client?.release(error);
      const pauseMs = (longestMs * (1 + Math.random())) / 2;
      if (Date.now() + pauseMs > deadline) throw error;
      await sleep(pauseMs);
    }
  }
}

function createPool(url, credentials) {
  const { hostname: host, port, pathname, searchParams } = new URL(url);

  /** Asks for the login at each new connection: a rotation changes user and password. */
  class TierClient extends Client {
    constructor(settings) {
      super(settings);
      // Between two queries nobody else listens, and a lost connection would end the process; the next query fails with it.
      this.on('error', () => undefined);
    }

    connect(callback) {
      const connected = this.logIn();
      if (!callback) return connected;
      connected.then(() => callback(null, this), callback);
    }

    async logIn() {
      const { username, password } = await credentials.current();
      this.user = this.connectionParameters.user = username;
      this.password = this.connectionParameters.password = password;
      try {
        await super.connect();
      } catch (error) {
        // Whoever opens the transaction tries again, with what the secret holds then.
        if (error.code?.startsWith('28') || /authentication failed/.test(error.message)) credentials.refused(password);
        throw error;
      }
    }
  }

  const pool = new Pool({
    ...poolSettings,
    Client: TierClient,
    host,
    port: Number(port),
    database: pathname.slice(1),
    ssl: sslSettings(searchParams),
  });
  pool.on('error', () => undefined); // an idle connection ended; the pool has already dropped it
  return pool;
}

/** `require` encrypts and trusts whoever answers; node-postgres would read it as `verify-full` in a URL. */
function sslSettings(searchParams) {
  const mode = searchParams.get('sslmode') ?? 'require';
  if (!mode.startsWith('verify-')) return { rejectUnauthorized: false };
  const kitFile = ['pooler-ca.pem', 'rds-ca.pem'].map((name) => join(__dirname, name)).find(existsSync);
  const caFile = searchParams.get('sslrootcert') ?? process.env.PGSSLROOTCERT ?? kitFile;
  const unchecked = mode === 'verify-ca' && { checkServerIdentity: () => undefined };
  return { ca: readFileSync(caFile, 'utf8'), ...unchecked };
}

/** Keeps the login that new connections use; while Secrets Manager does not answer, the one that was read last. */
class Credentials {
  constructor(secretArn) {
    this.secretArn = secretArn;
    this.readAt = -Infinity;
  }

  current() {
    if (!this.reading && Date.now() - this.readAt > secretMaxAgeMs) {
      this.reading = this.read().finally(() => (this.reading = undefined));
    }
    return this.reading ?? this.login;
  }

  refused(password) {
    if (this.login?.password === password) this.readAt = -Infinity;
  }

  async read() {
    try {
      const { SecretsManagerClient, GetSecretValueCommand } = require('@aws-sdk/client-secrets-manager');
      const { SecretString } = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: this.secretArn }));
      this.login = JSON.parse(SecretString);
    } catch (error) {
      if (!this.login) throw error;
    }
    this.readAt = Date.now();
    return this.login;
  }
}

/** A URL or the ARN of a secret: the variable of that name, else the value in tier.json, else the SSM parameter. */
async function endpoint(name) {
  const { value, parameter } = tier.endpoints[name];
  const known = process.env[name] || value;
  if (known) return known;
  const { SSMClient, GetParameterCommand } = require('@aws-sdk/client-ssm');
  return (await new SSMClient({}).send(new GetParameterCommand({ Name: parameter }))).Parameter.Value;
}

module.exports = { openDatabase };
