import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LambdaFunction } from '../../../lib/rehearsal/aws/lambda-function';

const code = `
exports.echo = async (event, context) => ({ event, name: context.functionName, left: context.getRemainingTimeInMillis() > 0 });
exports.environment = async () => process.env;
exports.fails = async () => { console.log('about to fail'); throw new Error('no such role'); };
exports.sleeps = () => new Promise(() => setInterval(() => {}, 1000));
exports.exits = () => process.exit(7);
exports.lookup = (host) => new Promise((resolve) => require('dns').lookup(host, (error, address) => resolve(error ? error.code : address)));
`;
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lambda-'));
  writeFileSync(join(directory, 'index.js'), code);
});
afterAll(() => rmSync(directory, { recursive: true }));

const functionOf = (handler: string, environment: Record<string, string> = {}, timeoutSeconds = 60) =>
  new LambdaFunction(
    { functionName: 'Fn', codeDirectory: directory, handler: `index.${handler}`, environment, timeoutSeconds },
    { names: new Map([['db.internal', '127.0.0.9']]), runtimeEnvironment: { AWS_REGION: 'eu-central-1' }, authorityFile: '/tmp/ca.pem' },
  );

describe('LambdaFunction', () => {
  it('hands the event and a context over, and returns the answer', async () => {
    expect(await functionOf('echo').invoke({ a: 1 })).toEqual({ event: { a: 1 }, name: 'Fn', left: true });
  });

  it("gives the function the template's environment and nothing of this process", async () => {
    const environment = await functionOf('environment', { A: 'b', NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem', POOLER_AUTHORITY_FILE: '/var/task/pooler-authorities.pem' }).invoke({});
    expect(environment).toEqual({ A: 'b', NODE_EXTRA_CA_CERTS: '/tmp/ca.pem', POOLER_AUTHORITY_FILE: '/tmp/ca.pem', AWS_REGION: 'eu-central-1', AWS_LAMBDA_FUNCTION_NAME: 'Fn', NODE_NO_WARNINGS: '1' });
  });

  it('knows the names of the site and no others', async () => {
    expect(await functionOf('lookup').invoke('db.internal')).toBe('127.0.0.9');
    expect(await functionOf('lookup').invoke('example.com')).toBe('ENOTFOUND');
  });

  it('throws what the function throws, with its log', async () => {
    await expect(functionOf('fails').invoke({})).rejects.toMatchObject({ message: 'no such role', log: 'about to fail' });
  });

  it('ends a function that takes too long', async () => {
    await expect(functionOf('sleeps', {}, 1).invoke({})).rejects.toThrow('Task timed out after 1 seconds');
  });

  it('notices a function that ends without an answer', async () => {
    await expect(functionOf('exits').invoke({})).rejects.toThrow('ended without an answer');
  });
});
