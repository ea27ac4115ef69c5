import { execFile } from 'node:child_process';
import { join } from 'node:path';

function capacity(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile('node', ['-r', 'ts-node/register/transpile-only', 'bin/capacity.ts', ...args], { cwd: join(__dirname, '../..') }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe('npm run capacity', () => {
  it('shows every use of every instance, and what is left', async () => {
    const { code, stdout } = await capacity('--environment', 'production');
    expect(code).toBe(0);
    expect(stdout).toMatch(/pooler +│ +300 │ 100 over 4 tasks are 25 for each; ×3/);
    expect(stdout).toMatch(/index builds +│ +4 │ 2 builders, their observer/);
    expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(stdout).toMatch(/at worst +│ +\d+ │ of max_connections \d+, \d+ free/);
    expect(stdout).toContain('replica replica-1');
  });

  it('adds up', async () => {
    const { stdout } = await capacity('--json');
    const { instances } = JSON.parse(stdout) as { instances: { total: number; maxConnections: number; rows: { connections: number }[] }[] };
    expect(instances).toHaveLength(2);
    for (const { total, maxConnections, rows } of instances) {
      expect(rows.reduce((sum, { connections }) => sum + connections, 0)).toBe(total);
      expect(total).toBeLessThanOrEqual(maxConnections);
    }
  });

  it('names the environments when asked for another', async () => {
    expect(await capacity('--environment', 'nowhere')).toMatchObject({ code: 2, stderr: expect.stringContaining('Allowed choices are development, staging, production') });
  });
});
