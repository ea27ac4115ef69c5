import { createSocket, type Socket } from 'node:dgram';

import { type Answer, AUTHORITATIVE_ANSWER, decode, encode } from 'dns-packet';

/** Seconds that an answer may be kept: RDS's endpoints have 5; a shorter one lets a drill see PgBouncer's own delay. */
const ttlSeconds = 1;
const nameDoesNotExist = 3;

/** A DNS server on a loopback address: the names of the tier, which can be moved while they are in use. */
export class Resolver {
  private readonly records = new Map<string, string>();

  private constructor(
    private readonly socket: Socket,
    private readonly address: string,
    private readonly port: number,
  ) {}

  static async start(address: string, port: number): Promise<Resolver> {
    const socket = createSocket('udp4');
    const resolver = new Resolver(socket, address, port);
    socket.on('message', (message, client) => {
      const response = resolver.answer(message);
      if (response) socket.send(response, client.port, client.address);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, resolve);
    });
    return resolver;
  }

  /** Gives a name an address, or moves it. */
  set(name: string, address: string): void {
    this.records.set(name.toLowerCase(), address);
  }

  get names(): ReadonlyMap<string, string> {
    return this.records;
  }

  /** For PgBouncer's `resolv_conf`: c-ares, unlike the C library, takes a port. */
  get resolvConf(): string {
    return `nameserver ${this.address}:${this.port}\noptions timeout:1 attempts:2\n`;
  }

  /**
   * A program that prints the address of a name: the C library, which other programs ask, takes no port in its own
   * resolv.conf. A query has line breaks in it, so cat hands it over whole.
   *
   * @see https://www.rfc-editor.org/rfc/rfc1035#section-4
   */
  get lookupProgram(): string {
    return [
      '#!/usr/bin/env bash',
      "query='\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0'",
      'IFS=. read -ra labels <<<"$1"',
      `for label in "\${labels[@]}"; do query+=$(printf '\\\\x%02x%s' "\${#label}" "$label"); done`,
      `exec 3<>/dev/udp/${this.address}/${this.port}`,
      'printf "$query\\0\\0\\1\\0\\1" | cat >&3',
      'read -ra answer < <(timeout 2 dd bs=512 count=1 status=none <&3 | od -An -v -tu1 | tr -d "\\n")',
      '((${#answer[@]} > 0 && answer[7] > 0)) || exit 1',
      'printf "%s.%s.%s.%s\\n" "${answer[@]: -4}"',
      '',
    ].join('\n');
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(resolve));
  }

  private answer(message: Buffer): Buffer | undefined {
    const query = decode(message);
    const [question] = query.questions ?? [];
    if (!question) return undefined;
    const address = this.records.get(question.name.toLowerCase());
    const answers: Answer[] = address && question.type === 'A' ? [{ type: 'A', name: question.name, ttl: ttlSeconds, data: address }] : [];
    return encode({ type: 'response', id: query.id, flags: AUTHORITATIVE_ANSWER | (address ? 0 : nameDoesNotExist), questions: [question], answers });
  }
}
