import { scramVerifier } from '../../../lib/tier/roles/scram-verifier';
import { parseUserlist, renderUserlist } from '../../../lib/tier/roles/userlist';

const verifier = scramVerifier({ password: 'pencil', iterations: 1 });
const other = scramVerifier({ password: 'other', iterations: 1 });

describe('the userlist', () => {
  it('has a line for each user, sorted by name', () => {
    const userlist = new Map([
      ['b', verifier],
      ['a', other],
    ]);
    expect(renderUserlist(userlist)).toBe(`"a" "${other}"\n"b" "${verifier}"\n`);
  });

  it('doubles quotes in names, leaves backslashes alone, and reads back what it wrote', () => {
    const userlist = new Map([[`o"dd\\ 'näme`, verifier]]);
    const text = renderUserlist(userlist);
    expect(text).toBe(`"o""dd\\ 'näme" "${verifier}"\n`);
    expect(parseUserlist(text)).toEqual(userlist);
  });

  it('reads the empty text as nobody', () => {
    expect(parseUserlist('').size).toBe(0);
    expect(renderUserlist(new Map())).toBe('');
  });

  it.each(['line\nbreak', 'line\rbreak', 'nul\0', ''])('refuses the user name %j', (user) => {
    expect(() => renderUserlist(new Map([[user, verifier]]))).toThrow(
      `user name ${JSON.stringify(user)} cannot stand in the userlist: it is empty or holds a line break; rename the role`,
    );
  });

  it.each(['hunter2', 'md532e12f215ba27cb750c9e093ce4b5127', `${verifier}\n"root" "x"`])(
    'refuses what is no verifier, and does not quote it: %j',
    (secret) => {
      const render = () => renderUserlist(new Map([['a', secret]]));
      expect(render).toThrow('the userlist may hold SCRAM verifiers only, and that of "a" is none');
      expect(render).not.toThrow(secret);
    },
  );

  it.each([
    ['a plain password', `"a" "${verifier}"\n"b" "hunter2"\n`, 'that of "b" is none'],
    [
      'a line that is none',
      `"a" "${verifier}"\nhunter2\n`,
      'line 2 of the userlist does not read "user" "SCRAM-SHA-256$…"',
    ],
    ['a user who comes twice', `"a" "${verifier}"\n"a" "${other}"\n`, 'line 2 of the userlist names "a" a second time'],
  ])('refuses to read %s, and does not quote it', (_, text, message) => {
    expect(() => parseUserlist(text)).toThrow(message);
    expect(() => parseUserlist(text)).not.toThrow('hunter2');
  });
});
