import type { Client } from 'pg';

import type { SecretName } from '../../../lib/tier/roles/role-catalogue';
import { parseScramVerifier } from '../../../lib/tier/roles/scram-verifier';
import { arnOf } from './deployed-roles';
import { RotatedRoles } from './rotated-roles';

let roles: RotatedRoles;
const secretsOf = () => roles.deployed.aws.secrets;
const credentials = (secret: SecretName) => secretsOf().json(arnOf(secret)) as { username: string; password: string };

beforeAll(async () => {
  roles = await RotatedRoles.start('127.33.41');
  await roles.deployed.as('migrations', 'CREATE TABLE bookings (id int)');
});
afterAll(() => roles?.stop());

/** Clients that log in anew with what the secret holds at that moment, and do some work. */
function startLogins(count: number) {
  let stopped = false;
  const seen = { logins: 0, users: new Set<string>(), failures: [] as string[] };
  const client = async (): Promise<void> => {
    while (!stopped) {
      const { username, password } = credentials('application');
      let session: Client | undefined;
      try {
        session = await roles.logInWith({ username, password }, seen.logins % 2 ? 'bookedbarber_ro' : 'bookedbarber');
        seen.logins += 1;
        seen.users.add(username);
        await session.query('SELECT count(*) FROM bookings');
      } catch (error) {
        seen.failures.push(`${username}: ${(error as Error).message}`);
      }
      await session?.end().catch(() => undefined);
    }
  };
  const running = Promise.all(Array.from({ length: count }, client));
  /** Once there were so many logins. */
  const stop = async (leastLogins: number): Promise<void> => {
    while (seen.logins < leastLogins && seen.failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    stopped = true;
    await running;
  };
  return { seen, stop };
}

describe('a rotation of the application', () => {
  it('fails no login of clients that read their secret anew, twice in a row, and ends the password before the last', async () => {
    const first = credentials('application');
    const clients = startLogins(4);
    roles.startDelayMs = 3000; // longer than the steps themselves
    await roles.rotate('application');
    const second = credentials('application');
    await roles.rotate('application');
    const third = credentials('application');
    await clients.stop(50);
    roles.startDelayMs = 0;

    expect([first, second, third].map(({ username }) => username)).toEqual(['bookedbarber_app', 'bookedbarber_app_alternate', 'bookedbarber_app']);
    expect(clients.seen.failures).toEqual([]);
    expect([...clients.seen.users].sort()).toEqual(['bookedbarber_app', 'bookedbarber_app_alternate']);
    await (await roles.logInWith(second)).end(); // whoever has not read the secret yet
    await expect(roles.logInWith(first)).rejects.toThrow(/authentication failed/);
    expect(parseScramVerifier(roles.deployed.userlist.get('bookedbarber_app')!)).toMatchObject({ iterations: 256 });
  });
});

describe('the role that rotates', () => {
  it('may set passwords, and neither read tables nor become another role nor set the password of the master', async () => {
    const attempts = ['SELECT * FROM bookings', 'SET ROLE bookedbarber_app', `ALTER ROLE bookedbarber_master PASSWORD 'x'`, 'CREATE TABLE t (id int)', 'ALTER ROLE bookedbarber_app SUPERUSER', 'GRANT bookedbarber_owner TO bookedbarber_rotation'];
    for (const sql of attempts) await expect(roles.deployed.as('rotation', sql)).rejects.toThrow(/permission denied|must be|Only roles/);
  });
});
