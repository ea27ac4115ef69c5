import { join } from 'node:path';

import { run } from './engines/child';

/**
 * Synthesizes one environment by the CDK CLI, as `cdk deploy` does.
 *
 * @throws Error with what the app said, for example which field of the configuration is wrong
 */
export async function synthesize(environment: string, output: string, signal: AbortSignal): Promise<void> {
  await run({
    name: 'cdk synth',
    command: process.execPath,
    args: [require.resolve('aws-cdk/bin/cdk'), 'synth', '--quiet', '--no-notices', '--output', output, '--context', `environment=${environment}`],
    cwd: join(__dirname, '../..'),
    signal,
  });
}
