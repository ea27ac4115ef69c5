import { AwsError, type AwsService } from './aws-endpoint';

const target = 'AmazonSSM.';

/**
 * Parameters with the part of Systems Manager's API that an application uses to find the tier.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export class Ssm implements AwsService {
  private readonly parameters = new Map<string, string>();

  set(name: string, value: string): void {
    this.parameters.set(name, value);
  }

  handles(headers: Readonly<Record<string, string | undefined>>): boolean {
    return headers['x-amz-target']?.startsWith(target) ?? false;
  }

  answer(headers: Readonly<Record<string, string | undefined>>, body: string): { readonly action: string; readonly contentType: string; readonly body: string } {
    const action = headers['x-amz-target']!.slice(target.length);
    if (action !== 'GetParameter') throw new AwsError(400, 'InvalidAction', `Systems Manager's ${action} is not known to the rehearsal`);
    const { Name } = JSON.parse(body) as { Name: string };
    const value = this.parameters.get(Name);
    if (value === undefined) throw new AwsError(400, 'ParameterNotFound', `${Name} is no parameter of the rehearsal`);
    return { action, contentType: 'application/x-amz-json-1.1', body: JSON.stringify({ Parameter: { Name, Type: 'String', Value: value, Version: 1 } }) };
  }

  errorBody({ code, message }: AwsError): string {
    return JSON.stringify({ __type: code, message });
  }
}
