import { SecretsManager } from '../../../lib/rehearsal/aws/secrets-manager';

const arn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:Master-rehearse';

describe('a key of a secret', () => {
  const secrets = new SecretsManager();
  secrets.create(arn, JSON.stringify({ username: 'u', password: 'p' }));

  it('is read', () => {
    expect(secrets.valueOfKey(arn, 'password')).toBe('p');
  });

  it('that it does not have is refused by name', () => {
    expect(() => secrets.valueOfKey(arn, 'passwort')).toThrow('the secret Master-rehearse has no JSON key "passwort"; it has username, password');
  });
});
