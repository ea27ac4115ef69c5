import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Ecs } from './ecs';
import { Rds } from './rds';
import { SecretsManager } from './secrets-manager';
import { Ssm } from './ssm';

/** An error as AWS answers it. */
export class AwsError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** One service behind the endpoint. */
export interface AwsService {
  handles(headers: Readonly<Record<string, string | undefined>>): boolean;
  /** @throws AwsError */
  answer(headers: Readonly<Record<string, string | undefined>>, body: string): { readonly action: string; readonly contentType: string; readonly body: string };
  errorBody(error: AwsError): string;
}

/** The AWS APIs that the tier's functions call, on a loopback address: unmodified SDK clients find it by variables. */
export class AwsEndpoint {
  readonly secrets = new SecretsManager();
  readonly rds = new Rds();
  readonly ecs = new Ecs();
  readonly ssm = new Ssm();
  /** Names of the actions that were called, in order; never what was said. */
  readonly calls: string[] = [];

  private constructor(private readonly server: Server) {}

  /** @param port 0 takes a free one */
  static async start(address: string, port: number): Promise<AwsEndpoint> {
    const server = createServer();
    const endpoint = new AwsEndpoint(server);
    server.on('request', (request, response) => void endpoint.serve(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, resolve);
    });
    return endpoint;
  }

  /** What an SDK client needs to come here instead of AWS. https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
  get environment(): Readonly<Record<string, string>> {
    const { address, port } = this.server.address() as AddressInfo;
    const url = `http://${address}:${port}`;
    return {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
      AWS_ENDPOINT_URL_RDS: url,
      AWS_ENDPOINT_URL_ECS: url,
      AWS_ENDPOINT_URL_SSM: url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'rehearsal',
      AWS_SECRET_ACCESS_KEY: 'rehearsal',
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = request.headers as Record<string, string | undefined>;
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const service = [this.secrets, this.rds, this.ecs, this.ssm].find((candidate) => candidate.handles(headers));
    if (!service) {
      response.writeHead(400).end(`${request.method} ${request.url}: no AWS service of the rehearsal speaks so`);
      return;
    }
    try {
      const answer = service.answer(headers, body);
      this.calls.push(answer.action);
      response.writeHead(200, { 'content-type': answer.contentType }).end(answer.body);
    } catch (error) {
      const awsError = error instanceof AwsError ? error : new AwsError(400, 'ValidationException', (error as Error).message);
      response.writeHead(awsError.status).end(service.errorBody(awsError));
    }
  }
}
