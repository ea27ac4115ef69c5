import { AwsError, type AwsService } from './aws-endpoint';

const target = 'AmazonEC2ContainerServiceV20141113.';

/**
 * Running tasks with the part of ECS's API that the tier's functions use.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
 */
export class Ecs implements AwsService {
  private readonly addresses = new Map<string, string>();

  /** Adds a running task. */
  addTask(address: string): void {
    this.addresses.set(`arn:aws:ecs:eu-central-1:000000000000:task/rehearsal/${this.addresses.size + 1}`, address);
  }

  handles(headers: Readonly<Record<string, string | undefined>>): boolean {
    return headers['x-amz-target']?.startsWith(target) ?? false;
  }

  answer(headers: Readonly<Record<string, string | undefined>>, body: string): { readonly action: string; readonly contentType: string; readonly body: string } {
    const action = headers['x-amz-target']!.slice(target.length);
    const answers: Readonly<Record<string, () => object>> = {
      ListTasks: () => ({ taskArns: [...this.addresses.keys()] }),
      DescribeTasks: () => ({ tasks: (JSON.parse(body) as { tasks: readonly string[] }).tasks.map((arn) => this.describe(arn)), failures: [] }),
    };
    const answer = answers[action];
    if (!answer) throw new AwsError(400, 'InvalidParameterException', `ECS's ${action} is not known to the rehearsal`);
    return { action, contentType: 'application/x-amz-json-1.1', body: JSON.stringify(answer()) };
  }

  errorBody({ code, message }: AwsError): string {
    return JSON.stringify({ __type: code, message });
  }

  private describe(taskArn: string): object {
    const address = this.addresses.get(taskArn);
    if (!address) throw new AwsError(400, 'InvalidParameterException', `task ${taskArn} is not known`);
    return { taskArn, lastStatus: 'RUNNING', attachments: [{ type: 'ElasticNetworkInterface', details: [{ name: 'privateIPv4Address', value: address }] }] };
  }
}
