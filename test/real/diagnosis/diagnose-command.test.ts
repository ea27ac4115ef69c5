import { execFile, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { diagnose } from '../../../lib/diagnosis/diagnose';
import type { Diagnosis, SectionName } from '../../../lib/diagnosis/diagnosis';
import { connectionOf } from '../../../lib/postgres/url-connection';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';

const password = "odd p'ass@word";
const program = ['-r', 'ts-node/register/transpile-only', 'bin/diagnose.ts'];
const surroundings = (more: NodeJS.ProcessEnv = {}) => ({ cwd: join(__dirname, '../../..'), env: { ...process.env, PGPASSWORD: password, ...more } });
let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start({ address: '127.35.6.1', parameters: { fsync: 'off' } });
  await server.query(`CREATE ROLE visitor LOGIN PASSWORD '${password.replace("'", "''")}'`);
  await server.query('GRANT pg_monitor TO visitor');
  // Whatever it does besides reading fails.
  await server.query('ALTER ROLE visitor SET default_transaction_read_only = on');
  await server.query(`CREATE ROLE guest LOGIN PASSWORD '${password.replace("'", "''")}'`);
  await server.query('CREATE DATABASE troubled');
  await server.query('CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 2)', [], 'troubled');
  await server.query('CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)', [], 'troubled').catch(() => undefined);
  await server.query('CREATE DATABASE "foreign one"');
  await server.query(
    `CREATE SCHEMA "Odd ""schema"""; CREATE TABLE "Odd ""schema"""."Table.1" (id int PRIMARY KEY, "a column" text);
     CREATE INDEX "Index one" ON "Odd ""schema"""."Table.1" ("a column"); CREATE INDEX "Index two" ON "Odd ""schema"""."Table.1" ("a column");
     CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day); CREATE INDEX ON parts (day);`,
    [],
    'foreign one',
  );
});
afterAll(() => server?.stop());

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile('node', [...program, ...args], surroundings(environment), (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }));
  });
}
const url = (database = 'foreign%20one', address = '127.35.6.1') => `postgresql://visitor@${address}:5432/${database}`;

describe('npm run diagnose -- --url', () => {
  it('reads a foreign database of any schema, and leaves nothing behind in it', async () => {
    const catalog = () => server.query('SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc) AS functions, (SELECT count(*) FROM pg_namespace) AS schemas, (SELECT count(*) FROM pg_extension) AS extensions', [], 'foreign one');
    const before = await catalog();
    const { code, stdout } = await run(['--url', url(), '--json']);
    const { findings, problems, sections } = JSON.parse(stdout) as Diagnosis;
    expect(findings.map(({ severity, what }) => `${severity}: ${what}`)).toEqual(['notice: "Odd ""schema"""."Index two" is needless beside "Odd ""schema"""."Index one"']);
    expect(problems.map(({ problem }) => problem)).toEqual(['pg_stat_statements is not installed in database foreign one: add it to shared_preload_libraries, restart, then CREATE EXTENSION pg_stat_statements']);
    expect(sections).toHaveLength(11);
    expect(await catalog()).toEqual(before);
    expect(code).toBe(0);
  });

  it('shows findings first, then tables, on a terminal and as Markdown', async () => {
    const somebody = await server.superuser('foreign one');
    const { stdout } = await run(['--url', url()]);
    expect(stdout).toMatch(/^127\.35\.6\.1, \d{4}-[^\n]* UTC\n\nFindings\n {2}notice: [^\n]+\n {6}→ name it in retiredIndexes, or DROP INDEX CONCURRENTLY [^\n]+\n\nNot read\n/);
    expect(stdout).toMatch(/│ +instance +│ +database +│/);
    const markdown = (await run(['--url', url(), '--markdown'])).stdout;
    await somebody.end();
    expect(markdown).toContain('## Findings');
    expect(markdown).toContain('| instance | database | user |');
  });

  it('ends with 1 if there is something to act on, and says with which command', async () => {
    const { code, stdout } = await run(['--url', url('troubled'), '--only', 'invalid-indexes']);
    expect(stdout).toMatch(/warning: public\.broken is INVALID: its build failed[^\n]*\n {6}→ [^\n]*REINDEX INDEX CONCURRENTLY public\.broken/);
    expect(code).toBe(1);
  });

  it('says what a role without rights cannot see, and shows the rest', async () => {
    const { code, stdout } = await run(['--url', url().replace('visitor', 'guest')]);
    expect(stdout).toContain('127.35.6.1, Connections: role guest may not see what other roles do: GRANT pg_monitor TO guest\n');
    expect(stdout).toContain('127.35.6.1, Slow statements: pg_stat_statements is not installed in database foreign one:');
    expect(stdout).toMatch(/│ 127\.35\.6\.1 │ primary │ 17\.\d+ /);
    expect(code).toBe(0);
  });

  it('says which of two instances cannot be asked, and shows the other', async () => {
    const { code, stdout } = await run(['--url', url(), '--url', url('foreign%20one', '127.35.6.9')]);
    expect(stdout).toMatch(/critical: 127\.35\.6\.9 cannot be asked: connect ECONNREFUSED 127\.35\.6\.9:5432/);
    expect(stdout).toMatch(/│ 127\.35\.6\.1 │ primary │ 17\.\d+ /);
    expect(code).toBe(1);
  });

  it('refreshes pools and connections each second with --watch, until it is interrupted', async () => {
    const child = spawn('node', [...program, '--url', url(), '--watch'], { ...surroundings(), stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let text = '';
    const thirdTime = new Promise<void>((resolve) => child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()).split('Findings').length > 3 && resolve()));
    await Promise.race([thirdTime, ended]);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    const taken = [...text.matchAll(/, ([\d-]+ [\d:]+) UTC/g)].map(([, time]) => Date.parse(`${time!.replace(' ', 'T')}Z`));
    expect(taken[2]! - taken[0]!).toBeGreaterThanOrEqual(1000);
  });

  it.each([
    [['--url', url('foreign%20one', '127.35.6.9')], /127\.35\.6\.9 cannot be asked: connect ECONNREFUSED 127\.35\.6\.9:5432/],
    [['--url', url('nowhere')], /127\.35\.6\.1 cannot be asked: 127\.35\.6\.1:5432: database "nowhere" does not exist/],
    [['--url', 'postgresql://visitor:s3cret@bad host/x'], /the URL cannot be read; it looks like postgresql:\/\/user@host/],
    [['--url', 'mysql://visitor:s3cret@host/x'], /the URL begins with mysql:\/\/; it looks like/],
    [['--url', `${url()}?sslmode=maybe`], /sslmode=maybe is none of disable, prefer, require, verify-ca, verify-full/],
    [['--url', `${url()}?sslmode=require`], /127\.35\.6\.1 cannot be asked: 127\.35\.6\.1:5432: The server does not support SSL connections; without encryption: sslmode=disable/],
    [['--url', url(), '--only', 'everything'], /There is no section everything; there are pools, pooler-clients/],
    [['--url', url(), 'production'], /give an environment or --url, not both/],
    [['--url', url(), '--watch', '--json'], /'-w, --watch' cannot be used with option '--json'/],
    [[], /name an environment \(development, staging, production\) or give --url/],
    [['nowhere'], /nowhere could not be looked at: there is no such environment; lib\/config\/environments.ts has development, staging, production/],
  ])('says why it cannot look with %j', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect(stdout + stderr).toMatch(message);
    expect(stdout + stderr).not.toContain('s3cret');
    expect(code).toBe(2);
  });
});

describe('npm run diagnose -- <environment>', () => {
  let aws: Server;
  let fails = false;

  /** Parameter Store and Lambda; the function itself looks at the real server. */
  async function answer(request: IncomingMessage): Promise<{ readonly status?: number; readonly headers?: Record<string, string>; readonly body: object }> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    if (request.headers['x-amz-target'] === 'AmazonSSM.GetParameter') {
      const { Name } = JSON.parse(body) as { Name: string };
      return Name.includes('/staging/') ? { status: 400, body: { __type: 'ParameterNotFound' } } : { body: { Parameter: { Name, Value: 'the-function' } } };
    }
    if (request.url !== '/2015-03-31/functions/the-function/invocations') return { status: 404, body: { message: `no ${request.url}` } };
    if (fails) return { headers: { 'x-amz-function-error': 'Unhandled' }, body: { errorMessage: 'secret x has no "password"' } };
    const { only } = JSON.parse(body) as { only?: readonly SectionName[] };
    const connection = connectionOf(url().replace('@', `:${encodeURIComponent(password)}@`), { applicationName: 'diagnosis' });
    return { body: await diagnose({ subject: 'production', instances: [{ name: 'primary', connect: connection.connect }], tasks: [], only }) };
  }

  beforeAll(async () => {
    aws = createServer((request, response) => void answer(request).then(({ status = 200, headers, body }) => response.writeHead(status, headers).end(JSON.stringify(body))));
    await new Promise<void>((resolve) => aws.listen(0, '127.35.6.2', resolve));
  });
  afterAll(() => aws.close());
  const ask = (...args: readonly string[]) =>
    run(args, { AWS_ENDPOINT_URL: `http://127.35.6.2:${(aws.address() as AddressInfo).port}`, AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });

  it('finds the function of the environment and shows what it answers', async () => {
    const { code, stdout } = await ask('production', '--json', '--only', 'instances,connections');
    const { subject, sections } = JSON.parse(stdout) as Diagnosis;
    expect([subject, ...sections.map(({ name }) => name)]).toEqual(['production', 'connections', 'instances']);
    expect(code).toBe(0);
  });

  it('says that an environment is not deployed, and why its function failed', async () => {
    expect(await ask('staging')).toMatchObject({ code: 2, stderr: expect.stringContaining('staging is not deployed in eu-central-1, in the account of these credentials: there is no SSM parameter /bookedbarber/staging/DIAGNOSIS_FUNCTION_NAME') as string });
    fails = true;
    expect(await ask('production')).toMatchObject({ code: 2, stderr: expect.stringContaining('function the-function failed: secret x has no "password"; its log says more') as string });
  });
});
