import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const project = join(__dirname, '../..');

/** What a command printed, the lines of progress left out, and how it ended. */
export interface Finished {
  readonly status: number | null;
  readonly firstLine: string;
  readonly output: string;
  /** Processes and files that it left, those apart that were there before. */
  readonly left: readonly string[];
}

export interface CommandOptions {
  /** Where it makes its files: nothing of it may be left there. */
  readonly temporary: string;
  /** Of the checkout that is run. @default - this one */
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly uid?: number;
}

/** Runs `npm run rehearse -- …` to its end. */
export async function rehearse(args: readonly string[], { temporary, cwd = project, environment = {}, uid }: CommandOptions): Promise<Finished> {
  const before = leftIn(temporary);
  const child = spawn('node', ['-r', 'ts-node/register/transpile-only', 'bin/rehearse.ts', ...args], {
    cwd,
    env: { ...process.env, TMPDIR: temporary, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = [...stdout.split('\n'), ...stderr.split('\n')].filter((line) => line !== '' && !/^\d+:\d\d /.test(line));
  const left = leftIn(temporary).filter((each) => !before.includes(each));
  return { status, firstLine: lines[0] ?? '', output: stdout + stderr, left };
}

/** Node.js's tools keep what they have compiled for the next time. */
function leftIn(directory: string): readonly string[] {
  return [...processesOf(directory), ...readdirSync(directory).filter((name) => !name.startsWith('v8-compile-cache'))];
}

/** Processes whose command line or environment names a directory. */
function processesOf(directory: string): readonly string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && pid !== String(process.pid))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return `${command} ${readFileSync(`/proc/${pid}/environ`, 'utf8')}`.includes(directory) ? [command] : [];
      } catch {
        return []; // it ended meanwhile
      }
    });
}
