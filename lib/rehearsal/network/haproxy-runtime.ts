import { createConnection } from 'node:net';

/**
 * Gives a running haproxy one command.
 *
 * @param socket path of its stats socket
 * @throws Error with what haproxy said, if it did not simply obey
 * @see https://docs.haproxy.org/3.0/management.html#9.3
 */
export async function commandHaproxy(socket: string, command: string): Promise<void> {
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const connection = createConnection(socket, () => connection.end(`${command}\n`));
    connection.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    connection.once('error', reject);
    connection.once('close', () => resolve(text.trim()));
  });
  if (answer !== '' && !obeyed.test(answer)) throw new Error(`haproxy refused "${command}": ${answer}`);
}

/** It confirms a new server in words, everything else by silence. */
const obeyed = /^New server registered\.$/;
