import { rotationSteps } from '../../lib/rehearsal/aws/rotate-secret';
import type { SecretName } from '../../lib/tier/roles/role-catalogue';
import { arnOf, oddPassword } from '../real/roles/deployed-roles';
import { RotatedRoles } from '../real/roles/rotated-roles';

let roles: RotatedRoles;
const secretsOf = () => roles.deployed.aws.secrets;
const credentials = (secret: SecretName) => secretsOf().json(arnOf(secret)) as { username: string; password: string };
const put = (secret: SecretName, version: string, value: object) =>
  secretsOf().answer({ 'x-amz-target': 'secretsmanager.PutSecretValue' }, JSON.stringify({ SecretId: arnOf(secret), ClientRequestToken: version, VersionStages: ['AWSPENDING'], SecretString: JSON.stringify(value) }));
const rolls = () => roles.deployed.aws.calls.filter((action) => action === 'UpdateService').length;

beforeAll(async () => {
  roles = await RotatedRoles.start('127.33.42');
  await roles.deployed.as('migrations', 'CREATE TABLE bookings (id int)');
});
afterAll(() => roles?.stop());

describe('a rotation of the application', () => {
  it('goes on wherever it died; two at once come to the same end, and so does each step that is repeated', async () => {
    const before = credentials('application');
    const version = roles.announce('application');
    await Promise.all([roles.step('createSecret', 'application', version), roles.step('createSecret', 'application', version)]);
    const calls = roles.deployed.aws.calls;
    for (let survived = 1; survived <= 6; survived++) {
      const [start, kill] = [calls.length, new AbortController()];
      const timer = setInterval(() => calls.length >= start + survived && kill.abort(), 1);
      await roles.step('setSecret', 'application', version, { signal: kill.signal }).catch(() => undefined);
      clearInterval(timer);
      await (await roles.logInWith(before)).end();
    }
    await Promise.all([roles.step('setSecret', 'application', version), roles.step('setSecret', 'application', version)]);
    await Promise.all([roles.step('testSecret', 'application', version), roles.step('testSecret', 'application', version)]);
    await Promise.all([roles.step('finishSecret', 'application', version), roles.step('finishSecret', 'application', version)]);
    const after = credentials('application');
    expect(after.username).not.toBe(before.username);
    const replaced = rolls();
    for (const step of rotationSteps) await roles.step(step, 'application', version);
    expect([credentials('application'), rolls()]).toEqual([after, replaced]);
    await (await roles.logIn('application')).end();
  });

  it('takes a password given by hand, whatever characters it has', async () => {
    const username = credentials('application').username === 'bookedbarber_app' ? 'bookedbarber_app_alternate' : 'bookedbarber_app';
    const version = roles.announce('application');
    put('application', version, { username, password: oddPassword('by hand'), note: 'kept' });
    await roles.rotate('application', version);
    expect(credentials('application')).toEqual({ username, password: oddPassword('by hand'), note: 'kept' });
    for (const alias of ['bookedbarber', 'bookedbarber_ro']) await (await roles.logIn('application', alias)).end();
  });

  it('refuses a value by hand that would lock clients out, and never shows it', async () => {
    const { username } = credentials('application');
    const cases = [
      [{ username, password: 'secret-text' }, `it is the turn of "${username === 'bookedbarber_app' ? 'bookedbarber_app_alternate' : 'bookedbarber_app'}"`],
      [{ username: username === 'bookedbarber_app' ? 'bookedbarber_app_alternate' : 'bookedbarber_app', password: 'secret-täxt' }, 'holds characters outside ASCII'],
      [{ username: 'x', password: '' }, 'AWSPENDING, has no "password"'],
    ] as const;
    for (const [value, problem] of cases) {
      const version = roles.announce('application');
      put('application', version, value);
      const steps = ['createSecret', 'setSecret', 'finishSecret'] as const;
      const errors = await Promise.all(steps.map((step) => roles.step(step, 'application', version).then(() => '', (thrown: Error) => thrown.message)));
      for (const error of errors) expect(error).toContain(problem);
      expect(errors.join()).not.toContain('secret-t');
    }
    await (await roles.logIn('application')).end();
  });
});

describe('the test of a rotation', () => {
  it('fails as long as one task does not let the new one in, and passes once it is gone', async () => {
    const version = roles.announce('readOnly');
    const behind = await roles.launchTask();
    await roles.step('createSecret', 'readOnly', version);
    await roles.step('setSecret', 'readOnly', version);
    await roles.step('testSecret', 'readOnly', version);
    roles.deployed.aws.ecs.addTask(behind.address);
    await expect(roles.step('testSecret', 'readOnly', version, { timeoutSeconds: 22 })).rejects.toThrow(new RegExp(`"bookedbarber_readonly_alternate" is not let in everywhere yet, so the current password stays: task ${behind.address}, bookedbarber: .*authentication failed`));
    expect(credentials('readOnly').username).toBe('bookedbarber_readonly');
    roles.deployed.aws.ecs.deactivateTask(behind.address);
    await expect(roles.step('testSecret', 'readOnly', version, { timeoutSeconds: 22 })).rejects.toThrow(`task ${behind.address}, bookedbarber`);
    await behind.kill();
    await roles.step('testSecret', 'readOnly', version);
    await roles.step('finishSecret', 'readOnly', version);
    roles.deployed.aws.ecs.removeTask(behind.address);
    expect(credentials('readOnly').username).toBe('bookedbarber_readonly_alternate');
  });
});

describe('rotations that begin while others replace the tasks', () => {
  it('wait for the last of those that leave, and share the next replacement', async () => {
    const { ecs } = roles.deployed.aws;
    const leaving: number[] = [];
    const answer = ecs.answer.bind(ecs);
    const leavingTasks = (): number => (JSON.parse(answer({ 'x-amz-target': 'AmazonEC2ContainerServiceV20141113.ListTasks' }, '{"desiredStatus":"STOPPED"}').body) as { taskArns: string[] }).taskArns.length;
    ecs.answer = (headers, body) => {
      if (headers['x-amz-target']?.endsWith('UpdateService')) leaving.push(leavingTasks());
      return answer(headers, body);
    };
    roles.leaving.deregistrationDelaySeconds = 5;
    try {
      const before = rolls();
      const first = roles.rotate('application');
      while (leavingTasks() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      await Promise.all([first, roles.rotate('readOnly'), roles.rotate('collector')]);
      expect(Math.max(...leaving)).toBe(0);
      expect(rolls() - before).toBeLessThanOrEqual(3); // the last two may both have seen the same calm
    } finally {
      ecs.answer = answer;
      roles.leaving.deregistrationDelaySeconds = 0.5;
    }
  });
});

describe('two rotations at once', () => {
  it('both succeed, with one userlist that has both', async () => {
    const before = { collector: credentials('collector'), poolerAdmin: credentials('poolerAdmin') };
    await Promise.all([roles.rotate('application'), roles.rotate('collector'), roles.rotate('poolerAdmin')]);
    await (await roles.logIn('application')).end();
    for (const secret of ['collector', 'poolerAdmin'] as const) {
      const session = await roles.logIn(secret, 'pgbouncer');
      await session.query('SHOW POOLS');
      await session.end();
      expect(credentials(secret).username).not.toBe(before[secret].username);
    }
  });
});

describe('a role that does not come through the pooler', () => {
  it('is rotated without a change to it, and owns what its alternate owns', async () => {
    const before = rolls();
    await roles.rotate('migrations');
    expect(credentials('migrations').username).toBe('bookedbarber_migrations_alternate');
    await roles.deployed.as('migrations', 'ALTER TABLE bookings ADD COLUMN price int', 'CREATE TABLE reviews (id int)');
    await roles.rotate('migrations');
    await roles.deployed.as('migrations', 'DROP TABLE reviews');
    await roles.deployed.as('indexes', 'CREATE SCHEMA index_migrations', 'CREATE TABLE index_migrations.builds (id int)');
    await roles.rotate('indexes');
    await roles.deployed.as('indexes', 'ALTER TABLE index_migrations.builds ADD COLUMN note text', 'CREATE INDEX ON bookings (price)');
    expect(rolls()).toBe(before);
  });
});

describe("the rotation's own password", () => {
  it('is changed without an alternate, and found again after a rotation that died before it was current', async () => {
    const version = roles.announce('rotation');
    await roles.step('createSecret', 'rotation', version);
    await roles.step('setSecret', 'rotation', version);
    await roles.rotate('migrations'); // logs in with the password that is to follow
    await roles.step('setSecret', 'rotation', version);
    await roles.step('testSecret', 'rotation', version);
    await roles.step('finishSecret', 'rotation', version);
    await roles.rotate('rotation');
    expect(secretsOf().stages(arnOf('rotation'))[version]).toEqual(['AWSPREVIOUS']);
    await (await roles.deployed.logIn('rotation')).end();
  });
});

describe('a deploy', () => {
  it('between the steps of a rotation, or after it, changes no password', async () => {
    const version = roles.announce('application');
    await roles.step('createSecret', 'application', version);
    await roles.step('setSecret', 'application', version);
    const between = await roles.deployed.catalogState();
    await roles.deployed.bootstrap();
    expect(await roles.deployed.catalogState()).toEqual(between);
    await roles.step('testSecret', 'application', version);
    await roles.step('finishSecret', 'application', version);
    const userlist = roles.deployed.userlist;
    await roles.deployed.bootstrap();
    expect(roles.deployed.userlist).toEqual(userlist);
    await (await roles.logIn('application')).end();
  });
});
