import { Child } from '../engines/child';
import { accepts } from '../network/balancer';
import type { Application, Surroundings } from './application-catalogue';

const startTimeoutMs = 60_000;
const pollMs = 50;
/** Longer than the kit, the pool and the pooler's queue take one after another. */
const answerTimeoutMs = 60_000;

/** What an application answered to a request. */
export interface Answer {
  readonly ok: boolean;
  /** JSON; of an error `{ phase, error }`. */
  readonly body: Readonly<Record<string, string | number | boolean>>;
}

/** An application that runs and takes requests. */
export class ApplicationProcess {
  private constructor(
    readonly application: Application,
    private readonly url: string,
    private readonly child: Child,
  ) {}

  /** @throws Error with the end of its log if it does not start */
  static async start(application: Application, surroundings: Surroundings): Promise<ApplicationProcess> {
    const { address, port } = surroundings;
    const child = new Child({ name: application.name, ...(await application.program(surroundings)) });
    const startedAt = Date.now();
    while (!(await accepts(address, port))) {
      if (!child.isRunning || Date.now() - startedAt > startTimeoutMs) {
        await child.stop('SIGKILL');
        throw new Error(`the application ${application.name} does not listen on ${address}:${port}; the end of its log:\n${child.logTail(10)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    return new ApplicationProcess(application, `http://${address}:${port}`, child);
  }

  /** @throws Error with the end of its log if it has died */
  async request(method: 'GET' | 'POST', path: string): Promise<Answer> {
    try {
      const response = await fetch(this.url + path, { method, signal: AbortSignal.timeout(answerTimeoutMs) });
      const text = await response.text();
      // An error that the application did not foresee is answered in words; nobody knows how far it had come.
      if (!response.ok && !text.startsWith('{')) return { ok: false, body: { phase: 'statement', error: text } };
      return { ok: response.ok, body: JSON.parse(text) as Answer['body'] };
    } catch (error) {
      if ((error as Error).name === 'TimeoutError') return { ok: false, body: { phase: 'statement', error: `no answer within ${answerTimeoutMs / 1000} s` } };
      throw new Error(`${this.application.name} does not answer ${method} ${path}: ${(error as Error).message}; the end of its log:\n${this.child.logTail(10)}`, { cause: error });
    }
  }

  /** It holds nothing that it must put away. */
  async stop(): Promise<void> {
    await this.child.stop('SIGKILL');
  }
}
