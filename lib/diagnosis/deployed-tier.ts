import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';

import type { Diagnosis, SectionName } from './diagnosis';

export interface DeployedTier {
  readonly environment: string;
  /** @default - as AWS_REGION or the profile says */
  readonly region?: string;
}

/** What is missing on this machine, which the SDK says without saying where it belongs. */
function fixFor({ message, name }: Error, environment: string): string | undefined {
  if (message === 'Region is missing') return `no AWS region is known; set AWS_REGION, or region of ${environment} in lib/config/environments.ts`;
  if (name === 'CredentialsProviderError') return `no AWS credentials are found (${message}); set AWS_PROFILE to a profile that has some, or sign in to it`;
  return undefined;
}

/** Asks the function of a deployed environment: nothing else has a way to its databases. */
export class DeployedDiagnosis {
  private readonly ssm: SSMClient;
  private readonly lambda: LambdaClient;
  private functionName?: string;

  constructor(private readonly tier: DeployedTier) {
    const region = tier.region && { region: tier.region };
    this.ssm = new SSMClient({ ...region });
    this.lambda = new LambdaClient({ ...region });
  }

  /**
   * @param only names of sections. @default - all
   * @throws Error that says what is missing: the environment, the function's answer, the right to ask
   */
  async ask(only?: readonly SectionName[]): Promise<Diagnosis> {
    this.functionName ??= await this.findFunction();
    const { Payload, FunctionError } = await this.lambda.send(new InvokeCommand({ FunctionName: this.functionName, Payload: JSON.stringify({ only }) }));
    const answer = JSON.parse(Payload?.transformToString() || '{}') as Diagnosis & { errorMessage?: string };
    if (FunctionError) throw new Error(`function ${this.functionName} failed: ${answer.errorMessage ?? FunctionError}; its log says more`);
    return answer;
  }

  private async findFunction(): Promise<string> {
    const { environment } = this.tier;
    const name = `/bookedbarber/${environment}/DIAGNOSIS_FUNCTION_NAME`;
    try {
      const { Parameter } = await this.ssm.send(new GetParameterCommand({ Name: name }));
      return Parameter!.Value!;
    } catch (error) {
      const fix = fixFor(error as Error, environment);
      if (fix !== undefined) throw new Error(fix, { cause: error });
      if (!(error instanceof ParameterNotFound)) throw error;
      const region = await this.ssm.config.region();
      throw new Error(`${environment} is not deployed in ${region}, in the account of these credentials: there is no SSM parameter ${name}`, { cause: error });
    }
  }
}
