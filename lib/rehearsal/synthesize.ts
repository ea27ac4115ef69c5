import { join } from 'node:path';

import { FailedProgram, run } from './engines/child';

/**
 * Synthesizes one environment by the CDK CLI, as `cdk deploy` does.
 *
 * @param environment undefined synthesizes all
 * @param project directory of the app's cdk.json
 * @param readReplicas at least so many, whatever the configuration has
 * @throws Error with what the app said, for example which field of the configuration is wrong
 */
export async function synthesize(environment: string | undefined, output: string, signal: AbortSignal, project = join(__dirname, '../..'), readReplicas = 0): Promise<void> {
  const synth = run({
    name: 'cdk synth',
    command: process.execPath,
    // AWS's rules for templates take longer than everything else; CI asks for them, and nobody reads here what they find.
    args: [require.resolve('aws-cdk/bin/cdk'), 'synth', '--quiet', '--no-notices', '--no-validation', '--output', output, ...(environment === undefined ? [] : ['--context', `environment=${environment}`]), ...(readReplicas === 0 ? [] : ['--context', `read-replicas=${readReplicas}`])],
    cwd: project,
    signal,
  });
  await synth.catch((error: Error) => {
    if (!(error instanceof FailedProgram)) throw error;
    // The CLI's own word about the process of the app, which has said what is wrong.
    throw new Error(error.message.replace(/\n.*: Subprocess exited with error \d+$/, ''), { cause: error });
  });
}
