import { DescribeDBInstancesCommand, RDSClient, StartDBInstanceCommand } from '@aws-sdk/client-rds';
import { DeleteSecretCommand, GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

import { AwsEndpoint } from '../../../lib/rehearsal/aws/aws-endpoint';

const arn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:App-abc123';
let aws: AwsEndpoint;
let secrets: SecretsManagerClient;
let rds: RDSClient;

beforeAll(async () => {
  aws = await AwsEndpoint.start('127.36.0.1', 8443);
  const { AWS_ENDPOINT_URL_RDS: endpoint, AWS_REGION: region } = aws.environment;
  const options = { endpoint, region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 };
  secrets = new SecretsManagerClient(options);
  rds = new RDSClient(options);
});
afterAll(() => aws?.stop());

describe("AWS's own SDK clients at the endpoint", () => {
  it('read a secret and put a new version of it', async () => {
    aws.secrets.create(arn, '{"password":"one"}');
    const put = await secrets.send(new PutSecretValueCommand({ SecretId: arn, SecretString: '{"password":"two"}' }));
    const current = await secrets.send(new GetSecretValueCommand({ SecretId: arn }));
    expect(current).toMatchObject({ SecretString: '{"password":"two"}', VersionId: put.VersionId });
    const previous = await secrets.send(new GetSecretValueCommand({ SecretId: arn, VersionStage: 'AWSPREVIOUS' }));
    expect(previous.SecretString).toBe('{"password":"one"}');
  });

  it('are told when a secret does not exist, or has no value yet', async () => {
    aws.secrets.create(`${arn}-empty`);
    for (const id of ['nowhere', `${arn}-empty`]) {
      await expect(secrets.send(new GetSecretValueCommand({ SecretId: id }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    }
  });

  it('describe instances, all or one by its identifier', async () => {
    for (const identifier of ['primary', 'replica']) {
      aws.rds.set({ identifier, host: `${identifier}.internal`, port: 5432, parameterGroup: 'group', parameterApplyStatus: 'pending-reboot' });
    }
    const all = await rds.send(new DescribeDBInstancesCommand({}));
    expect(all.DBInstances?.map(({ DBInstanceIdentifier }) => DBInstanceIdentifier)).toEqual(['primary', 'replica']);
    const one = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'replica' }));
    expect(one.DBInstances).toMatchObject([
      { DBInstanceStatus: 'available', Endpoint: { Address: 'replica.internal', Port: 5432 }, DBParameterGroups: [{ ParameterApplyStatus: 'pending-reboot' }] },
    ]);
    await expect(rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'gone' }))).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
  });

  it('are refused what the rehearsal does not know, by name', async () => {
    await expect(secrets.send(new DeleteSecretCommand({ SecretId: arn }))).rejects.toThrow("Secrets Manager's DeleteSecret is not known to the rehearsal");
    await expect(rds.send(new StartDBInstanceCommand({ DBInstanceIdentifier: 'primary' }))).rejects.toThrow("RDS's StartDBInstance is not known to the rehearsal");
  });
});
