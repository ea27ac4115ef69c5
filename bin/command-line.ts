import { Command } from 'commander';

/**
 * A command whose wrong calls end with 2, in one line that says where help is. What it prints may be cut short, by head
 * for example: then the rest goes nowhere.
 */
export function commandLine(name: string): Command {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') return;
    process.stderr.write(`standard output cannot be written: ${message}\n`);
    process.once('exit', () => (process.exitCode = 2));
  });
  return new Command(`npm run ${name} --`)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replace(/\.?\n/, '. ').replace(/\.$/, '')}; see "npm run ${name} -- --help"\n`) });
}
