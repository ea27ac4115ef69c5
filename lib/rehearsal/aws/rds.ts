import { XMLBuilder } from 'fast-xml-parser';

import { AwsError, type AwsService } from './aws-endpoint';

/** What DescribeDBInstances tells of an instance. */
export interface DescribedInstance {
  readonly identifier: string;
  readonly host: string;
  readonly port: number;
  readonly parameterGroup: string;
  /** @default - not told */
  readonly allocatedStorageGiB?: number;
  /** @default 'available' */
  readonly status?: string;
  /** `pending-reboot` when a static parameter waits for a restart. @default 'in-sync' */
  readonly parameterApplyStatus?: string;
}

const xml = new XMLBuilder({});

/**
 * Instances with the part of RDS's API that the tier's functions use.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html
 */
export class Rds implements AwsService {
  private readonly instances = new Map<string, DescribedInstance>();

  /** Adds an instance, or changes what is told of it. */
  set(instance: DescribedInstance): void {
    this.instances.set(instance.identifier, instance);
  }

  handles(headers: Readonly<Record<string, string | undefined>>): boolean {
    return headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
  }

  answer(_headers: unknown, body: string): { readonly action: string; readonly contentType: string; readonly body: string } {
    const request = new URLSearchParams(body);
    const action = request.get('Action') ?? '';
    if (action !== 'DescribeDBInstances') throw new AwsError(400, 'InvalidAction', `RDS's ${action} is not known to the rehearsal`);
    const identifier = request.get('DBInstanceIdentifier');
    const found = [...this.instances.values()].filter((instance) => identifier === null || instance.identifier === identifier);
    if (identifier !== null && found.length === 0) throw new AwsError(404, 'DBInstanceNotFound', `DBInstance ${identifier} not found.`);
    const result = { DescribeDBInstancesResponse: { DescribeDBInstancesResult: { DBInstances: { DBInstance: found.map(describe) } } } };
    return { action, contentType: 'text/xml', body: xml.build(result) };
  }

  errorBody({ code, message }: AwsError): string {
    return xml.build({ ErrorResponse: { Error: { Type: 'Sender', Code: code, Message: message } } });
  }
}

function describe({ identifier, host, port, parameterGroup, allocatedStorageGiB, status = 'available', parameterApplyStatus = 'in-sync' }: DescribedInstance): object {
  return {
    DBInstanceIdentifier: identifier,
    DBInstanceStatus: status,
    Engine: 'postgres',
    AllocatedStorage: allocatedStorageGiB,
    Endpoint: { Address: host, Port: port },
    DBParameterGroups: { DBParameterGroup: { DBParameterGroupName: parameterGroup, ParameterApplyStatus: parameterApplyStatus } },
  };
}
