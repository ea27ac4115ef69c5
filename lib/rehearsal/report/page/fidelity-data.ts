import { fidelities, type FidelityRow, placeOf } from '../fidelity';

type FidelityName = FidelityRow['fidelity'];

const classes: Readonly<Record<FidelityName, string>> = { 'as it is': 'good', scaled: 'warn', imitated: 'note', 'not rehearsed': '', 'not known': 'bad' };

const mostAtAGlance = 3;

/** Resources of one type that were rehearsed in the same way. */
interface FidelityGroup {
  readonly resourceType: string;
  readonly fidelity: FidelityName;
  readonly class: string;
  readonly how: string;
  readonly scaled: readonly string[];
  /** Where each of them stands. */
  readonly resources: readonly string[];
  readonly count: number;
  /** More than can be read at a glance. */
  readonly several: boolean;
  readonly withoutEffect: readonly { readonly why: string; readonly properties: string }[];
  readonly unknownProperties: readonly string[];
}

/** What is not known first, then by how true it is, then by type: a resource beside those of which the same is said. */
export function fidelityData(rows: readonly FidelityRow[]): readonly FidelityGroup[] {
  const groups = new Map<string, FidelityRow[]>();
  for (const row of rows) {
    const { resourceType, fidelity, how, scaled, withoutEffect, unknownProperties } = row;
    const said = JSON.stringify([resourceType, fidelity, how, scaled, withoutEffect, unknownProperties]);
    groups.set(said, [...(groups.get(said) ?? []), row]);
  }
  const order = ({ fidelity, unknownProperties }: FidelityRow): number => (fidelity === 'not known' || unknownProperties ? -1 : fidelities.indexOf(fidelity));
  return [...groups.values()]
    .sort(([one], [other]) => order(one!) - order(other!) || one!.resourceType.localeCompare(other!.resourceType, 'en'))
    .map(([first, ...others]) => {
      const { resourceType, fidelity, how, scaled = [], withoutEffect = [], unknownProperties = [] } = first!;
      return {
        resourceType,
        fidelity,
        class: classes[fidelity],
        how,
        scaled,
        // Every construct of CDK has its resource under that name.
        resources: [first!, ...others].map((row) => placeOf(row).replace(/\/Resource$/, '')).sort(),
        count: others.length + 1,
        several: others.length >= mostAtAGlance,
        withoutEffect: withoutEffect.map(({ why, properties }) => ({ why, properties: properties.join(', ') })),
        unknownProperties,
      };
    });
}

export function fidelityTally(rows: readonly FidelityRow[]): readonly { readonly fidelity: FidelityName; readonly count: number; readonly class: string }[] {
  return fidelities.map((fidelity) => ({ fidelity, count: rows.filter((row) => row.fidelity === fidelity).length, class: classes[fidelity] })).filter(({ count }) => count > 0);
}
