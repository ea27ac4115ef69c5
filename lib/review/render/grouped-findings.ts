import { type Finding, type Section, sections, worstImpact } from '../impact';

/** The same finding in one or more environments. */
export interface GroupedFinding extends Omit<Finding, 'environment'> {
  readonly environments: readonly string[];
}

export interface FindingSection {
  readonly title: string;
  /** In full. */
  readonly shown: readonly GroupedFinding[];
  /** Of interest to few: what nobody notices in the rest, and what only follows from something else. */
  readonly collapsed: readonly GroupedFinding[];
}

/** Findings by section, those that several environments share once. */
export function groupFindings(findings: readonly Finding[]): readonly FindingSection[] {
  return (Object.entries(sections) as [Section, string][]).flatMap(([section, title]) => {
    const grouped = merge(findings.filter((finding) => finding.section === section));
    const collapsed = section === 'state' ? [] : grouped.filter(({ impact, follows }) => follows !== undefined || (section === 'rest' && impact === 'no interruption'));
    return grouped.length > 0 ? [{ title, shown: grouped.filter((finding) => !collapsed.includes(finding)), collapsed }] : [];
  });
}

function merge(findings: readonly Finding[]): readonly GroupedFinding[] {
  const groups = new Map<string, GroupedFinding>();
  for (const { environment, ...finding } of findings) {
    const key = JSON.stringify({ ...finding, stack: '', logicalId: finding.name === 'the stack' ? '' : finding.logicalId });
    const known = groups.get(key);
    groups.set(key, known ? { ...known, environments: [...new Set([...known.environments, environment])] } : { ...finding, environments: [environment] });
  }
  return [...groups.values()];
}

/** How many of each type and what at worst, for a line over what is collapsed. */
export function summarize(findings: readonly GroupedFinding[]): string {
  const counts = new Map<string, number>();
  for (const { resourceType } of findings) counts.set(resourceType, (counts.get(resourceType) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([type, count]) => `${count} × ${type}`).join(', ') + `; at worst: ${worstImpact(findings.map(({ impact }) => impact))!}`;
}

/** The sentence that a reader sees first. */
export function verdictOf({ worst, openRisks, acknowledgedRisks }: { readonly worst?: string; readonly openRisks: number; readonly acknowledgedRisks: number }): string {
  if (worst === undefined) return 'Nothing changes.';
  const acknowledged = acknowledgedRisks > 0 ? `, ${acknowledgedRisks} acknowledged` : '';
  return openRisks > 0 ? `At worst: ${worst}. ${openRisks === 1 ? '1 risk is' : `${openRisks} risks are`} not acknowledged${acknowledged}.` : `At worst: ${worst}${acknowledged}.`;
}
