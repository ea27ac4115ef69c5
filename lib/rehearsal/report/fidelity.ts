import type { Fidelity, RehearsedResource } from '../deployment/deployment';
import { howRehearsed } from './how-rehearsed';
import { explainUnread, type WithoutEffect } from './without-effect';

/** How a resource of the template was rehearsed. */
export interface FidelityRow {
  readonly resourceType: string;
  readonly stackName: string;
  readonly logicalId: string;
  /** Where it stands in the CDK app. @default - the template does not tell */
  readonly constructPath?: string;
  readonly fidelity: Fidelity | 'scaled' | 'not known';
  /** By what it was imitated, or why it was not rehearsed. */
  readonly how: string;
  /** Why it is smaller or shorter here than in the template. @default - it is not */
  readonly scaled?: readonly string[];
  /** Its properties that have no effect here. @default - all have */
  readonly withoutEffect?: readonly WithoutEffect[];
  /** Its properties that have no effect here, and that nobody has thought of. @default - none */
  readonly unknownProperties?: readonly string[];
}

/** From what it is best known to what is not known at all. */
export const fidelities: readonly FidelityRow['fidelity'][] = ['as it is', 'scaled', 'imitated', 'not rehearsed', 'not known'];

export function fidelityRow({ type, stackName, logicalId, constructPath, fidelity, how, scaled, idle, unreadProperties }: RehearsedResource): FidelityRow {
  const place = { resourceType: type, stackName, logicalId, ...(constructPath !== undefined && { constructPath }) };
  const whyIdle = idle();
  if (whyIdle !== undefined) return { ...place, fidelity: 'not rehearsed', how: whyIdle };
  const ofType = howRehearsed(type);
  const { withoutEffect, unknown } = explainUnread(type, unreadProperties());
  const known = fidelity === 'not rehearsed' && ofType === undefined ? 'not known' : fidelity;
  return {
    ...place,
    fidelity: scaled.length > 0 ? 'scaled' : known,
    how: how ?? ofType ?? 'this type is not known to the rehearsal',
    ...(scaled.length > 0 && { scaled }),
    ...(withoutEffect.length > 0 && { withoutEffect }),
    ...(unknown.length > 0 && { unknownProperties: unknown }),
  };
}

/** How often each type was rehearsed in which way, and by name what is not known; for a terminal. */
export function summarizeFidelity(rows: readonly FidelityRow[]): readonly string[] {
  const known = fidelities.filter((fidelity) => fidelity !== 'not known');
  const tallies = known.flatMap((fidelity) => {
    const types = rows.filter((row) => row.fidelity === fidelity).map(({ resourceType }) => resourceType);
    if (types.length === 0) return [];
    const counted = [...new Set(types)].sort().map((type) => ({ type, count: types.filter((other) => other === type).length }));
    return [`${fidelity}, ${types.length}: ${counted.map(({ type, count }) => type.replace(/^AWS::/, '') + (count > 1 ? ` × ${count}` : '')).join(', ')}`];
  });
  const unknown = rows.flatMap((row) => [
    ...(row.fidelity === 'not known' ? [`${row.resourceType} ${placeOf(row)}`] : []),
    ...(row.unknownProperties ?? []).map((property) => `${property} of ${row.resourceType} ${placeOf(row)}`),
  ]);
  return [...tallies, ...unknown.map((what) => `not known to the rehearsal: ${what}`)];
}

/** Where a person finds it. */
export function placeOf({ constructPath, stackName, logicalId }: Pick<FidelityRow, 'constructPath' | 'stackName' | 'logicalId'>): string {
  return constructPath ?? `${stackName} ${logicalId}`;
}
