import { createHash, createHmac } from 'node:crypto';

import { parseScramVerifier, scramVerifier, verifierMatches } from '../../../lib/tier/roles/scram-verifier';

/** The exchange of RFC 7677, section 3, for the password "pencil", and the verifier that belongs to it. */
const rfc7677 = {
  salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
  authMessage: [
    'n=user,r=rOprNGfwEbeRWgbNEkqO',
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  ].join(','),
  clientProof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverSignature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  verifier:
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
};

describe('a SCRAM verifier', () => {
  it('equals the published one for the password, salt and iterations of RFC 7677', () => {
    const salt = Buffer.from(rfc7677.salt, 'base64');
    expect(scramVerifier({ password: 'pencil', iterations: 4096, salt })).toBe(rfc7677.verifier);
  });

  it('holds the keys by which both sides of the exchange in RFC 7677 prove themselves', () => {
    const { storedKey, serverKey } = parseScramVerifier(rfc7677.verifier)!;
    const sign = (key: Buffer) => createHmac('sha256', key).update(rfc7677.authMessage).digest();
    expect(sign(serverKey).toString('base64')).toBe(rfc7677.serverSignature);
    const clientSignature = sign(storedKey);
    const clientKey = Buffer.from(rfc7677.clientProof, 'base64').map((byte, index) => byte ^ clientSignature[index]!);
    expect(createHash('sha256').update(clientKey).digest()).toEqual(storedKey);
  });

  it('takes 16 fresh random bytes of salt each time', () => {
    const [first, second] = [1, 2].map(() => scramVerifier({ password: 'pencil', iterations: 1 }));
    expect(first).not.toBe(second);
    expect(parseScramVerifier(first!)!.salt).toHaveLength(16);
  });

  it('matches its own password and no other', () => {
    const verifier = scramVerifier({ password: `p'a"s\\s $w:o%r\nd`, iterations: 256 });
    expect(verifierMatches(verifier, `p'a"s\\s $w:o%r\nd`)).toBe(true);
    expect(verifierMatches(verifier, `p'a"s\\s $w:o%r\nD`)).toBe(false);
    expect(verifierMatches(verifier, '')).toBe(false);
  });

  it('does not match when only one of its two keys is the right one', () => {
    const other = scramVerifier({ password: 'other', iterations: 4096, salt: Buffer.from(rfc7677.salt, 'base64') });
    const serverKeyOfOther = `${rfc7677.verifier.split(':').slice(0, 2).join(':')}:${other.split(':')[2]!}`;
    expect(parseScramVerifier(serverKeyOfOther)).toBeDefined();
    expect(verifierMatches(serverKeyOfOther, 'pencil')).toBe(false);
  });

  it.each([
    ['a plain password', 'pencil'],
    ['an md5 hash', 'md532e12f215ba27cb750c9e093ce4b5127'],
    ['a verifier with a line after it', `${rfc7677.verifier}\n"postgres" "pencil"`],
    ['a verifier without iterations', rfc7677.verifier.replace('4096', '')],
    ['a verifier with more iterations than PostgreSQL takes', rfc7677.verifier.replace('4096', '2147483648')],
    ['a verifier with a short key', rfc7677.verifier.replace('wfPL', '')],
  ])('is told from %s', (_, text) => {
    expect(parseScramVerifier(text)).toBeUndefined();
    expect(verifierMatches(text, 'pencil')).toBe(false);
  });

  it.each(['', 'pässword', 'zero\0byte'])('refuses the password %j without quoting it', (password) => {
    const refuse = () => scramVerifier({ password, iterations: 1 });
    expect(refuse).toThrow(
      'the password is empty or holds characters outside ASCII, on which drivers disagree; use letters, digits and ASCII punctuation',
    );
  });

  it.each([0, 0.5, -1, 2_147_483_648, Number.NaN])('refuses %d iterations and names the limits', (iterations) => {
    expect(() => scramVerifier({ password: 'pencil', iterations })).toThrow(
      `${iterations} SCRAM iterations are not a whole number from 1 to 2147483647; PostgreSQL's default is 4096`,
    );
  });
});
