import { spawn } from 'node:child_process';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** A place that can be reached. */
export interface NetworkPlace {
  readonly address: string;
  readonly port: number;
}

/** Stands before a server, and can become a black hole: then not even the kernel acknowledges what is sent to it. */
export class Relay {
  private readonly downstream = new Set<Socket>();
  private readonly upstream = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(place: NetworkPlace, target: NetworkPlace): Promise<Relay> {
    const server = createServer({ noDelay: true });
    const relay = new Relay(server, place.address);
    server.on('connection', (socket) => relay.accept(socket, target));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(place.port, place.address, resolve);
    });
    return relay;
  }

  /** Connections that it carries. */
  get connections(): number {
    return this.downstream.size;
  }

  /** From now on packets to it vanish, those of new connections too: as if its host were unplugged. */
  async becomeBlackHole(): Promise<void> {
    for (const socket of this.upstream) socket.pause();
    await dropPackets([this.server, ...this.downstream]);
  }

  async stop(): Promise<void> {
    for (const socket of [...this.downstream, ...this.upstream]) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(socket: Socket, target: NetworkPlace): void {
    const onward = createConnection({ host: target.address, port: target.port, noDelay: true });
    this.downstream.add(socket);
    this.upstream.add(onward);
    const forget = (): void => {
      this.downstream.delete(socket);
      this.upstream.delete(onward);
    };
    // Either end closes both.
    pipeline(socket, onward, forget);
    pipeline(onward, socket, forget);
  }
}

/**
 * Has each socket demand signed segments of everybody, who all lack the key: the kernel drops what arrives without a word,
 * and the other side what is sent. A kernel without such signatures gets a filter that lets no packet in, which some kernels
 * grant to root alone. Sockets that a listener accepts later inherit either. Node.js cannot set socket options, and every
 * Debian and Ubuntu has Perl.
 *
 * @see https://man7.org/linux/man-pages/man7/tcp.7.html TCP_MD5SIG
 * @see https://docs.kernel.org/networking/filter.html
 */
async function dropPackets(sockets: readonly (Socket | Server)[]): Promise<void> {
  const descriptors = sockets.map(descriptorOf).filter((descriptor) => descriptor >= 0);
  const child = spawn('perl', ['-e', letNothingIn, String(descriptors.length)], { stdio: ['ignore', 'ignore', 'pipe', ...descriptors] });
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`perl, which makes the black hole, did not start: ${error.message}`)));
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`no black hole could be made: ${said.trim()}`);
}

/**
 * On Linux, IPPROTO_TCP is 6 and TCP_MD5SIG_EXT 32: struct tcp_md5sig with AF_INET and 0.0.0.0/0. SOL_SOCKET is 1 and
 * SO_ATTACH_FILTER 26: one instruction, which returns 0 bytes of each packet.
 */
const letNothingIn = `
  my $signature = pack("S x126 C C S l a80", 2, 1, 0, 3, 0, "key");
  my $return_nothing = pack("SCCL", 6, 0, 0, 0);
  for my $descriptor (3 .. 2 + $ARGV[0]) {
    open(my $socket, "+<&=", $descriptor) or die "descriptor $descriptor: $!";
    setsockopt($socket, 6, 32, $signature) or setsockopt($socket, 1, 26, pack("S x![P] P", 1, $return_nothing)) or die "SO_ATTACH_FILTER: $!";
  }`;

function descriptorOf(socket: Socket | Server): number {
  return (socket as unknown as { readonly _handle: { readonly fd: number } | null })._handle?.fd ?? -1;
}
