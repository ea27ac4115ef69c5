import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** What it writes on a terminal of that width, in a process of its own: ora is an ES module, which Jest does not load. */
async function writtenOn(columns: number, variables: Readonly<Record<string, string>> = {}): Promise<string> {
  const program = `
    const { Progress } = require('./lib/rehearsal/report/progress');
    const { hasColors, getColorDepth } = require('node:tty').WriteStream.prototype;
    const terminal = Object.assign(new (require('node:stream').Writable)({ write: (text, _encoding, done) => { process.stdout.write(text); done(); } }), {
      isTTY: true, columns: ${columns}, cursorTo() {}, clearLine() {}, moveCursor() {}, hasColors, getColorDepth,
    });
    const progress = new Progress(terminal);
    progress.begin('Index builds');
    progress.update('7 of 13');
    progress.begin('Smoke check');
    progress.fail();`;
  const { PATH, HOME } = process.env;
  return new Promise((resolve) => {
    execFile(
      'node',
      ['-r', 'ts-node/register/transpile-only', '-e', program],
      { cwd: join(__dirname, '../../..'), timeout: 10_000, env: { PATH, HOME, TERM: 'xterm-256color', ...variables } },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
}

describe('progress', () => {
  it('is a line for each step on a terminal that has no width, where ora would erase lines without end', async () => {
    expect(await writtenOn(0)).toBe('0:00 Index builds\n0:00 Smoke check\n');
  });

  it('turns in colour, and without any where NO_COLOR is set', async () => {
    const colour = /\x1b\[[\d;]*m/;
    expect(await writtenOn(80, { FORCE_COLOR: '1' })).toMatch(colour);
    const plain = await writtenOn(80, { NO_COLOR: '1' });
    expect(plain).toContain('Index builds');
    expect(plain).not.toMatch(colour);
  });
});
