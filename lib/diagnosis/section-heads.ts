import { type Limits, type SectionHead, type SectionName, sectionNames } from './diagnosis';
import { formatCell } from './format-cell';
import { instanceSections } from './sections/instance-sections';
import { poolerSections } from './sections/pooler';

export function sectionHead(wanted: SectionName): SectionHead {
  const all: readonly SectionHead[] = [...poolerSections, ...instanceSections];
  const { name, title, about, columns } = all.find((section) => section.name === wanted)!;
  return { name, title, about, columns };
}

/** Every section in the order of the report, with the limits in words. */
export function sectionHeads(limits: Limits): readonly SectionHead[] {
  return sectionNames.map(sectionHead).map((head) => ({ ...head, about: head.about.replace(/\{(\w+)\}/g, (_, limit: keyof Limits) => limitText(limit, limits[limit])) }));
}

function limitText(name: keyof Limits, value: number): string {
  if (name.endsWith('Seconds')) return formatCell(value, 'seconds');
  if (name.endsWith('Ms')) return formatCell(value, 'milliseconds');
  return formatCell(value, name.endsWith('Percent') ? 'percent' : 'count');
}
