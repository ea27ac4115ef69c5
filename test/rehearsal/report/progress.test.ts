import { spawn } from 'node:child_process';
import { join } from 'node:path';

const program = `
  const { Progress } = require("./lib/rehearsal/report/progress");
  const progress = new Progress(process.stdout);
  progress.begin("Index builds");
  progress.update("7 of 13");
  progress.begin("Smoke check");
  progress.fail();`;

/** What it writes on a real terminal of that width, which script of every Debian and Ubuntu makes. */
function writtenOn(columns: number, variables: Readonly<Record<string, string>> = {}): Promise<string> {
  const { PATH, HOME } = process.env;
  const command = `stty cols ${columns}; ulimit -t 20; exec node -r ts-node/register/transpile-only -e '${program}'`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: join(__dirname, '../../..'),
    env: { PATH, HOME, TERM: 'xterm-256color', SHELL: '/bin/sh', ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text;
    if (written.length > 1_000_000) child.kill('SIGKILL'); // it would go on, until its seconds of CPU are used up
  });
  return new Promise((resolve, reject) => child.once('error', reject).once('close', () => resolve(written)));
}

describe('progress', () => {
  it('is a line for each step on a terminal that has no width, where ora would erase lines without end', async () => {
    expect(await writtenOn(0)).toBe('0:00 Index builds\r\n0:00 Smoke check\r\n');
  });

  it('turns in colour, and without any where NO_COLOR is set', async () => {
    const colour = /\x1b\[[\d;]*m/;
    expect(await writtenOn(80)).toMatch(colour);
    const plain = await writtenOn(80, { NO_COLOR: '1' });
    expect(plain).toContain('Index builds');
    expect(plain).not.toMatch(colour);
  });
});
