import { generateSecretString } from '../../../lib/rehearsal/aws/generate-secret-string';

describe('generateSecretString', () => {
  it('makes 32 characters with each kind among them', () => {
    const password = generateSecretString({});
    expect(password).toHaveLength(32);
    for (const kind of [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/]) expect(password).toMatch(kind);
  });

  it('puts the password beside what the template of the secret says', () => {
    const secret = generateSecretString({ SecretStringTemplate: '{"username":"app"}', GenerateStringKey: 'password', PasswordLength: 44, ExcludePunctuation: true });
    expect(JSON.parse(secret)).toEqual({ username: 'app', password: expect.stringMatching(/^[A-Za-z0-9]{44}$/) });
  });

  it('leaves excluded characters out', () => {
    expect(generateSecretString({ PasswordLength: 500, ExcludeCharacters: 'abc"@/\\' })).not.toMatch(/[abc"@/\\]/);
  });
});
