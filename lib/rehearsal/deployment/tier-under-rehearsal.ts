import type { AssemblyStack } from '../../assembly/environment-assembly';
import type { Resource } from '../../assembly/template';
import { indexesResourceType } from '../../tier/indexes/indexes.contract';
import { rolesResourceType } from '../../tier/roles/roles.contract';
import { smokeCheckResourceType } from '../../tier/smoke-check/smoke-check.contract';
import type { Site } from '../site';
import { Databases } from './databases';
import { Deployment, type ResourceMaker } from './deployment';
import { Functions } from './functions';
import { PublishedParameters } from './parameters';
import { trustingSite } from './pooler-authority';
import { PoolerService, type PoolerServiceOptions } from './pooler-service';
import { secretAttachmentMaker, secretMaker } from './secrets';

export interface TierOptions extends PoolerServiceOptions {
  readonly onProgress: (what: string) => void;
  readonly signal: AbortSignal;
  /** Data with which the primary begins, as after a restore. @default - none */
  readonly keptData?: string;
}

/** The stacks of an environment, brought up on this machine. */
export class TierUnderRehearsal {
  readonly databases: Databases;
  readonly pooler: PoolerService;
  readonly functions: Functions;
  readonly parameters: PublishedParameters;
  readonly deployment: Deployment;

  constructor(
    readonly site: Site,
    private readonly options: TierOptions,
  ) {
    this.databases = new Databases(site, options.keptData);
    this.pooler = new PoolerService(site, options);
    this.parameters = new PublishedParameters(site.aws.ssm);
    this.functions = new Functions(site, options.signal);
    const makers = this.makers();
    this.deployment = new Deployment(
      ({ Type }: Resource) => makers[Type],
      ({ type, logicalId }) => options.onProgress(`${type} ${logicalId}`),
    );
  }

  async deploy(stacks: readonly AssemblyStack[]): Promise<void> {
    for (const stack of stacks) await this.deployment.deploy(stack, this.options.signal);
  }

  /** Every type that can be brought up here; another one is reported as not rehearsed. */
  private makers(): Readonly<Record<string, ResourceMaker>> {
    const { databases, pooler, functions, parameters, site } = this;
    return {
      'AWS::RDS::DBParameterGroup': databases.parameterGroup,
      'AWS::RDS::DBInstance': databases.instance,
      'AWS::SecretsManager::Secret': secretMaker(site),
      'AWS::SecretsManager::SecretTargetAttachment': secretAttachmentMaker(site),
      'AWS::SecretsManager::RotationSchedule': functions.rotationSchedule,
      'AWS::Lambda::Function': functions.lambda,
      'AWS::Events::Rule': functions.schedule,
      [rolesResourceType]: functions.customResource,
      [indexesResourceType]: functions.customResource,
      [smokeCheckResourceType]: functions.customResource,
      'AWS::ElasticLoadBalancingV2::LoadBalancer': pooler.loadBalancer,
      'AWS::ElasticLoadBalancingV2::TargetGroup': pooler.targetGroup,
      'AWS::ElasticLoadBalancingV2::Listener': pooler.listener,
      'AWS::ECS::TaskDefinition': pooler.taskDefinition,
      'AWS::ECS::Service': pooler.service,
      'AWS::SSM::Parameter': trustingSite(parameters.maker, site),
    };
  }
}
