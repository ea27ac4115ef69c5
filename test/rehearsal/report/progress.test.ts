import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** In a process of its own: ora is an ES module, which Jest does not load. */
const program = `
  const { Progress } = require('./lib/rehearsal/report/progress');
  const written = [];
  const progress = new Progress({ isTTY: true, columns: 0, write: (text) => written.push(text) });
  progress.begin('Index builds');
  progress.update('7 of 13');
  progress.begin('Smoke check');
  progress.fail();
  console.log(JSON.stringify(written));
  process.exit();`;

describe('progress', () => {
  it('is a line for each step on a terminal that has no width, where ora would erase lines without end', async () => {
    const printed = await new Promise<string>((resolve) => {
      execFile('node', ['-r', 'ts-node/register/transpile-only', '-e', program], { cwd: join(__dirname, '../../..'), timeout: 10_000 }, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
    expect(JSON.parse(printed)).toEqual(['0:00 Index builds\n', '0:00 Smoke check\n']);
  });
});
