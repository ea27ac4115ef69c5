import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { checkedEnvironments, checkEnvironments } from '../../lib/config/checked-environments';
import { environments } from '../../lib/config/environments';

const config = join(__dirname, '../../lib/config');
const whole = readFileSync(join(config, 'environments.ts'), 'utf8');
let directory: string;

beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'environments-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What is said of the file of the environments with some of its text replaced, its name and number of problems left out. */
function problemsOf(...changes: readonly (readonly [text: string, by: string])[]): readonly string[] {
  const file = join(directory, 'environments.ts');
  const changed = changes.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, whole);
  writeFileSync(file, changed.replace("'./tier-config'", JSON.stringify(join(config, 'tier-config'))));
  try {
    checkEnvironments(file);
  } catch (error) {
    return (error as Error).message.split('\n').slice(1);
  }
  return [];
}

const lineOf = (text: string): number => whole.slice(0, whole.indexOf(text)).split('\n').length;

describe('the file of the environments', () => {
  it('is taken as it is', () => {
    expect(checkedEnvironments()).toBe(environments);
  });

  it('is refused with every field that is misspelled, missing or of the wrong type, each with its line', () => {
    const [first, second, third] = ['readOnlyPoolSize: 20', "protection: 'retain'", "      engineVersion: '17.9',\n      instanceClass: 'r7g.xlarge'"];
    expect(problemsOf([first, 'readOnlyPoolSise: 20'], [second, "protection: 'snapshot'"], [third, "\n      instanceClass: 'r7g.xlarge'"])).toEqual([
      `  line ${lineOf(first)}: Object literal may only specify known properties, but 'readOnlyPoolSise' does not exist in type 'PoolerConfig'. Did you mean to write 'readOnlyPoolSize'?`,
      `  line ${lineOf(second)}: Type '"snapshot"' is not assignable to type 'Protection'.`,
      `  line ${lineOf(third) - 1}: Property 'engineVersion' is missing in type '{ … }' but required in type 'DatabaseConfig'.`,
    ]);
  });

  it('is refused in a line where it cannot be read', () => {
    expect(problemsOf(['minTasks: 1,', 'minTasks: 1,,'])).toEqual([`  line ${lineOf('minTasks: 1,')}: Property assignment expected.`]);
  });

  it('may have a constant that nothing uses', () => {
    expect(problemsOf(['/** Name of an environment', 'const later = 1;\n/** Name of an environment'])).toEqual([]);
  });
});
