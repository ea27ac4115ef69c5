import { resolveDynamicReferences } from '../../../lib/rehearsal/deployment/dynamic-references';

const arn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:Master-AbCdEf';
const read = (secretArn: string, key: string) => (secretArn === arn ? `<${key}>` : 'wrong secret');

describe('resolveDynamicReferences', () => {
  it('replaces a key of a secret', () => {
    expect(resolveDynamicReferences(`{{resolve:secretsmanager:${arn}:SecretString:password::}}`, read)).toBe('<password>');
  });

  it('leaves other text alone', () => {
    expect(resolveDynamicReferences('bookedbarber', read)).toBe('bookedbarber');
  });

  it('refuses a reference of another kind', () => {
    expect(() => resolveDynamicReferences('{{resolve:ssm:/a/b}}', read)).toThrow('a dynamic reference {{resolve:ssm:…}} is not known to the rehearsal');
  });
});
