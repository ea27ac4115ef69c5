import type { Check } from '../report/report';
import { applicationCheck } from './application-metrics';
import type { ApplicationProcess } from './application-process';

/** What an application shows without load: its read session refuses, its statements are the right ones, its pool has its size. */
export async function checkApplication(running: ApplicationProcess): Promise<readonly Check[]> {
  const { hasSqlalchemyPool } = running.application;
  return Promise.all([writesLetThrough(running), wrongStatements(running), ...(hasSqlalchemyPool ? [poolSize(running)] : [])]);
}

async function writesLetThrough(running: ApplicationProcess): Promise<Check> {
  const { ok, body } = await running.request('POST', '/read-session/bookings');
  const isRefused = !ok && /read-only transaction/.test(String(body.error));
  return applicationCheck('writes-let-through', isRefused ? 0 : 1, ok ? undefined : `it was told: ${String(body.error)}`);
}

async function wrongStatements(running: ApplicationProcess): Promise<Check> {
  const { ok, body } = await running.request('GET', '/statements');
  return ok ? applicationCheck('wrong-statements', Number(body.wrong)) : applicationCheck('wrong-statements', 1, `it was told: ${String(body.error)}`);
}

async function poolSize(running: ApplicationProcess): Promise<Check> {
  const { body } = await running.request('POST', '/crowd');
  return applicationCheck('pool', Number(body.connections ?? 0), String(body.refusal ?? body.error ?? 'it refused none'));
}
