import { CfnElement, type Stack, type Stage } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

import type { Template } from '../../assembly/template';
import { guardBackups } from './backups';
import { guardEncryption } from './encryption';
import type { Guard, GuardedStack } from './guarded-stack';
import { guardPinnedLogicalIds } from './pinned-logical-ids';
import { guardPlainSecrets } from './plain-secrets';
import { guardPublicAccess } from './public-access';
import { guardRetention } from './retention';

/** What every synth refuses. A new guard is a line here. */
const guards: readonly Guard[] = [guardPinnedLogicalIds, guardRetention, guardBackups, guardPublicAccess, guardEncryption, guardPlainSecrets];

/** A tier as it was made, and what the configuration says of its data. */
export interface GuardedTier {
  readonly stage: Stage & { readonly data: Stack; readonly service: Stack };
  readonly disposable: boolean;
}

/**
 * Stops a synth that would lose data or open the tier, with everything that is wrong in all environments at once. It reads
 * the finished templates: stages are synthesized before what stands beside them is validated.
 */
export class Guards extends Construct {
  constructor(scope: Construct, id: string, tiers: readonly GuardedTier[]) {
    super(scope, id);
    // Not a plugin: the CLI only reports what plugins find when no stack is selected, and goes on.
    this.node.addValidation({ validate: () => tiers.flatMap(tierProblems) });
  }
}

function tierProblems({ stage, disposable }: GuardedTier): string[] {
  const assembly = stage.synth();
  return (['data', 'service'] as const).flatMap((id) => {
    const stack = stage[id];
    const template = assembly.getStackArtifact(stack.artifactId).template as Template;
    const guarded: GuardedStack = { id, template, disposable, terminationProtection: stack.terminationProtection ?? false };
    return guards.flatMap((guard) => guard(guarded)).map(({ logicalId, message }) => `${describe(stack, logicalId)}: ${message}`);
  });
}

/** Path of the construct, and the logical id that CloudFormation knows it by. */
function describe(stack: Stack, logicalId: string): string {
  const construct = stack.node.findAll().find((candidate) => CfnElement.isCfnElement(candidate) && stack.resolve(candidate.logicalId) === logicalId);
  return `${construct ? construct.node.path.replace(/\/Resource$/, '') : stack.node.path} (${logicalId})`;
}
