import { renderApplicationTable } from '../../../lib/rehearsal/report/application-table';
import { headline } from '../../../lib/rehearsal/report/headline';
import { sampleReport } from './sample-report';

const application = sampleReport.application!;
const [first, second] = application;
const failing = [{ ...first!, checks: first!.checks.map((check) => ({ ...check, measured: 7, verdict: 'missed' as const, detail: 'begin: gone' })) }, second!];

describe('the applications in a report', () => {
  it('stand beside each other, with a dash for what was not asked of one', () => {
    const table = renderApplicationTable(application);
    expect(table).toMatch(/Connections of its pool\s*│\s*= 60\s*│\s*60\s*│\s*–\s*│/);
    expect(table).toMatch(/Requests under load.*81.2\/s.*163\/s/);
  });

  it('say what was missed in the table, and first of all in the headline', () => {
    expect(renderApplicationTable(failing)).toMatch(/Connections of its pool.*7 missed/);
    expect(headline({ checks: [], application: failing })).toEqual({
      failed: true,
      text: 'failed: FastAPI, SQLAlchemy 1.4, psycopg2: Connections of its pool is 7 connections, not = 60 (begin: gone); FastAPI, SQLAlchemy 1.4, psycopg2: Errors while every pooler is replaced is 7 errors, not = 0 (begin: gone)',
    });
    expect(headline({ checks: [], application })).toEqual({ failed: false, text: 'passed: 2 applications went through pooler replacement and primary restart' });
  });
});
