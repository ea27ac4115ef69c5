import { readdirSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { postgresEngine } from '../../../lib/rehearsal/engines/postgres-engine';

describe('the copy of PostgreSQL', () => {
  it('holds no link to the checkout that it was copied from', async () => {
    const libraries = join(dirname(dirname((await postgresEngine()).postgres)), 'lib');
    const links = readdirSync(libraries, { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
    expect(links.length).toBeGreaterThan(0);
    expect(links.map(({ name }) => readlinkSync(join(libraries, name))).filter((target) => target.includes('/'))).toEqual([]);
  });
});
