import type { Client } from 'pg';

import { isRecordedFinished, recordFinished } from './build-history';
import type { BuildProgress } from './build-progress';
import { qualifiedName, shownName, shownTable } from './index-catalogue';
import { builtHereComment, commentFor } from './index-ownership';
import { commentSql, runStatement } from './index-sql';
import type { IndexSurveyor, Survey } from './index-survey';
import { isAccepted } from './index-trial';

/** Marks what was built here and is VALID, and tells of it once, whoever else looks at the same time. */
export async function markFinished(session: Client, surveyor: IndexSurveyor, { judged, found, history }: Survey, log: (event: Readonly<Record<string, unknown>>) => void): Promise<void> {
  const valid = judged.filter(({ decision }) => decision.kind === 'valid' && decision.as === undefined);
  const builds = valid.flatMap(({ index, trial }) => (isAccepted(trial) ? [surveyor.recordedBuild(index, trial)] : []));
  const finished = await recordFinished(session, builds.filter((build) => !isRecordedFinished(history, build)));
  for (const { schema, name, seconds } of finished) {
    if (seconds === null) continue;
    const { index } = valid.find((each) => qualifiedName(each.index) === qualifiedName({ schema, name }))!;
    const built = found.get(qualifiedName(index));
    if (built?.comment === null) await runStatement(session, commentSql(schema, name, builtHereComment));
    log({ event: 'build finished', index: shownName(index), table: shownTable(index), seconds, bytes: built?.bytes });
  }
}

/** Marks what is being built here, so that it is known for ours even if it is wanted no more when it is VALID. */
export async function markBuilding(session: Client, { judged }: Survey, progress: readonly BuildProgress[]): Promise<void> {
  for (const { index, table, decision } of judged) {
    if (decision.kind !== 'building' || decision.unfinished.comment !== null || !progress.some(({ tableOid }) => tableOid === table?.oid)) continue;
    const { schema, name } = decision.unfinished;
    // It may just have died and been dropped; the next look sees.
    await runStatement(session, commentSql(schema, name, commentFor(index, name))).catch(() => undefined);
  }
}
