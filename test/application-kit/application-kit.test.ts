import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { kitPackages, writeApplicationKit } from '../../lib/application-kit/application-kit';
import { renderReadme } from '../../lib/application-kit/kit-readme';
import { kitEndpointNames, readTierFacts, type StackOutputs } from '../../lib/application-kit/tier-facts';
import { type AssemblyStack, readEnvironment } from '../../lib/assembly/environment-assembly';
import { environments } from '../../lib/config/environments';
import type { TierConfig } from '../../lib/config/tier-config';
import { run } from '../../lib/rehearsal/engines/child';
import { CertificateAuthority } from '../../lib/rehearsal/engines/certificate-authority';
import { debianPython } from '../../lib/rehearsal/engines/debian-python';
import { addTiers } from '../../lib/tier/database-tier';
import { testApp } from '../synthesize';

let directory: string;
let assembly: string;
let stacks: readonly AssemblyStack[];
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kit-'));
  assembly = synthesized(environments.production);
  stacks = readEnvironment(assembly, 'production');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function synthesized(production: TierConfig): string {
  const app = testApp({ outdir: mkdtempSync(join(directory, 'assembly-')) });
  addTiers(app, { production }, 'production');
  return app.synth().directory;
}

function written(outputs?: StackOutputs, of = stacks): string {
  const kit = mkdtempSync(join(directory, 'kit-'));
  writeApplicationKit(kit, readTierFacts('production', of, outputs), of);
  return kit;
}

const read = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8');

/** What a deploy would have written. */
const deployed = Object.fromEntries(
  kitEndpointNames.map((name) => [name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()), `the deployed ${name}`]),
);

describe('the application kit', () => {
  it('says what the template says', () => {
    const { applicationStatementTimeoutMs = 30_000, applicationTransactionTimeoutMs = 60_000 } = (environments.production as TierConfig).roles ?? {};
    const facts = JSON.parse(read(written(), kitPackages.python, 'tier.json'));
    expect(facts).toMatchObject({
      environment: 'production',
      sslmode: 'require',
      readOnlyDatabase: 'bookedbarber_ro',
      pooler: { maxPreparedStatements: 200, queryWaitTimeoutSeconds: 15 },
      applicationRole: { settings: { statement_timeout: `${applicationStatementTimeoutMs}ms`, transaction_timeout: `${applicationTransactionTimeoutMs}ms` } },
    });
  });

  it('follows a template that says something else', () => {
    const changed: TierConfig = {
      ...(environments.production as TierConfig),
      pooler: { settings: { max_prepared_statements: '0', query_wait_timeout: '7' } },
      roles: { applicationScramIterations: 4096, applicationStatementTimeoutMs: 1500 },
    };
    const kit = written(undefined, readEnvironment(synthesized(changed), 'production'));
    const readme = read(kit, 'README.md');
    expect(JSON.parse(read(kit, kitPackages.node, 'tier.json'))).toMatchObject({ pooler: { maxPreparedStatements: 0, queryWaitTimeoutSeconds: 7 } });
    expect(readme).toContain('no server connection was free for 7 s');
    expect(readme).toContain('a statement took longer than 1.5 s');
    expect(readme).toContain('named queries do not work');
    expect(readme).not.toContain('pgjdbc refuses');
  });

  it('names where each endpoint is published, as long as nothing is deployed', () => {
    const kit = written();
    const { endpoints } = JSON.parse(read(kit, kitPackages.python, 'tier.json'));
    expect(Object.keys(endpoints)).toEqual([...kitEndpointNames]);
    expect(endpoints.DATABASE_URL).toEqual({ parameter: '/bookedbarber/production/DATABASE_URL', stack: 'bookedbarber-production-service', output: 'DatabaseUrl', value: null });
    expect(read(kit, 'endpoints.env')).toContain('# READ_REPLICA_URL: SSM parameter /bookedbarber/production/READ_REPLICA_URL');
  });

  it('asks a template for nothing that only operators need', () => {
    const operators = /\/(READ_ONLY_SECRET_ARN|POOLER_ADMIN_SECRET_ARN|DIAGNOSIS_FUNCTION_NAME)$/;
    const older = readEnvironment(assembly, 'production');
    for (const { template } of older) {
      for (const [id, { Properties }] of Object.entries(template.Resources)) if (operators.test(String(Properties?.Name))) delete (template.Resources as Record<string, unknown>)[id];
    }
    expect(Object.keys(readTierFacts('production', older).endpoints)).toEqual([...kitEndpointNames]);
  });

  it('has the values of a deploy, as "cdk deploy --outputs-file" wrote them', () => {
    const kit = written({ 'bookedbarber-production-data': {}, 'bookedbarber-production-service': deployed });
    expect(read(kit, 'endpoints.env').split('\n').slice(1, -1)).toEqual(kitEndpointNames.map((name) => `${name}=the deployed ${name}`));
    expect(JSON.parse(read(kit, kitPackages.node, 'tier.json')).endpoints.APPLICATION_SECRET_ARN.value).toBe('the deployed APPLICATION_SECRET_ARN');
  });

  it("refuses another environment's outputs", () => {
    expect(() => written({ 'bookedbarber-staging-service': deployed })).toThrow(
      'the outputs have no bookedbarber-production-service.DatabaseUrl; they have bookedbarber-staging-service: take the file that "cdk deploy --outputs-file" wrote for this environment',
    );
  });

  it('is Python that compiles, and in which nothing is undefined or unused, and JavaScript that parses', async () => {
    const kit = written();
    const { command, args, environment } = await debianPython();
    const check = ['-c', 'import sys, compileall, pyflakes.api\nsys.exit(not compileall.compile_dir(sys.argv[1], quiet=1) or pyflakes.api.checkRecursive(sys.argv[1:], pyflakes.reporter._makeDefaultReporter()))', join(kit, 'python')];
    await run({ name: 'python3', command, args: [...args, ...check], environment: { ...environment, PYTHONPYCACHEPREFIX: join(kit, 'compiled') } });
    await run({ command: process.execPath, args: ['--check', join(kit, kitPackages.node, 'index.js')] });
    expect(readdirSync(join(kit, kitPackages.python))).not.toContain('__pycache__');
  });

  it("holds the authorities of RDS's certificates, as the pooler's image does", () => {
    const kit = written();
    for (const path of Object.values(kitPackages)) expect(read(kit, path, 'rds-ca.pem')).toBe(read(__dirname, '../../assets/pgbouncer/rds-ca.pem'));
  });

  it('lets clients verify the pooler where it has a certificate of its own', async () => {
    const authorities = (await CertificateAuthority.create('the team')).certificatePem;
    const certificateSecret = { secret: 'pooler', hostName: 'pooler.bookedbarber.internal', authorities };
    const verified = readEnvironment(synthesized({ ...environments.production, pooler: { ...environments.production.pooler, certificateSecret } }), 'production');
    const kit = written(undefined, verified);
    for (const path of Object.values(kitPackages)) {
      expect(read(kit, path, 'pooler-ca.pem')).toBe(authorities);
      expect(JSON.parse(read(kit, path, 'tier.json'))).toMatchObject({ sslmode: 'verify-full' });
    }
    expect(read(kit, 'README.md')).toContain("the pooler's certificate is verified, by the authorities in `pooler-ca.pem`");
    const { command, args, environment } = await debianPython();
    const caFile = async (): Promise<string> => {
      const code = 'from bookedbarber_db.tier import libpq_settings; print(libpq_settings("postgresql://pooler/x?sslmode=verify-full")["sslrootcert"])';
      return (await run({ command, args: [...args, '-c', code], environment: { ...environment, PYTHONPATH: [environment?.PYTHONPATH, join(kit, 'python')].join(':'), PYTHONDONTWRITEBYTECODE: '1' } })).stdout.trim();
    };
    expect(await caFile()).toBe(join(kit, kitPackages.python, 'pooler-ca.pem'));
    writeApplicationKit(kit, readTierFacts('production', stacks), stacks);
    expect(await caFile()).toBe(join(kit, kitPackages.python, 'rds-ca.pem'));
  });

  it('is written over an older one, and over nothing else', () => {
    const kit = written();
    expect(() => writeApplicationKit(kit, readTierFacts('production', stacks), stacks)).not.toThrow();
    const other = join(directory, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'main.py'), '');
    expect(() => writeApplicationKit(other, readTierFacts('production', stacks), stacks)).toThrow(`${other} holds something other than an application kit; choose an empty or a new directory`);
    expect(readdirSync(other)).toEqual(['main.py']);
  });

  it('leaves no name in the README unfilled', () => {
    expect(read(written(), 'README.md')).not.toContain('{{');
    expect(() => renderReadme('{{colour}}', readTierFacts('production', stacks))).toThrow('README.md of the application kit asks for {{colour}}, which nothing fills');
  });
});
