import { type Finding, isRisk } from './impact';

/** Where a change says which of its risks are meant. */
export const acknowledgementsFile = 'review-acknowledgements.json';

/** One risk that is meant. */
export interface Acknowledgement {
  readonly logicalId: string;
  readonly reason: string;
}

export interface AcknowledgedFindings {
  readonly findings: readonly Finding[];
  /** Entries that do nothing, a sentence each. */
  readonly remarks: readonly string[];
}

/**
 * Reads the file's entries; none if there is no file.
 *
 * @throws Error with every entry that cannot be read
 */
export function parseAcknowledgements(text: string | undefined, where: string): readonly Acknowledgement[] {
  if (text === undefined) return [];
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (error) {
    throw new Error(`${acknowledgementsFile} of ${where} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!Array.isArray(entries)) throw new Error(`${acknowledgementsFile} of ${where} is not a list of { "logicalId": …, "reason": … }`);
  const problems = entries.flatMap((entry: Partial<Acknowledgement> | null, index) => {
    const complete = typeof entry?.logicalId === 'string' && typeof entry.reason === 'string' && entry.reason.trim().length >= 10;
    return complete ? [] : [`entry ${index + 1} needs a "logicalId" and a "reason" of a sentence: ${JSON.stringify(entry)}`];
  });
  if (problems.length > 0) throw new Error(`${acknowledgementsFile} of ${where}: ${problems.join('; ')}`);
  return entries as readonly Acknowledgement[];
}

/**
 * Marks the risks that the change itself says are meant: an entry that BASE has already was meant for another change.
 * Whoever means a replacement means what follows from it, save for what holds state.
 */
export function acknowledge(findings: readonly Finding[], before: readonly Acknowledgement[], after: readonly Acknowledgement[]): AcknowledgedFindings {
  const known = new Set(before.map((entry) => JSON.stringify([entry.logicalId, entry.reason])));
  const [stale, fresh] = [after.filter((entry) => known.has(JSON.stringify([entry.logicalId, entry.reason]))), after.filter((entry) => !known.has(JSON.stringify([entry.logicalId, entry.reason])))];
  const acknowledged = findings.map((finding): Finding => {
    const entry = isRisk(finding.impact) ? fresh.find(({ logicalId }) => logicalId === finding.logicalId || (finding.section !== 'state' && logicalId === finding.follows)) : undefined;
    return entry ? { ...finding, acknowledged: entry.reason } : finding;
  });
  const unused = fresh.filter(({ logicalId }) => !acknowledged.some((finding) => finding.acknowledged !== undefined && [finding.logicalId, finding.follows].includes(logicalId)));
  return {
    findings: acknowledged,
    remarks: [
      ...stale.map(({ logicalId }) => `${acknowledgementsFile}: the entry for ${logicalId} is stale: BASE has it already, so it was for another change; remove it`),
      ...unused.map(({ logicalId }) => `${acknowledgementsFile}: the entry for ${logicalId} acknowledges nothing; this change puts no such resource at risk`),
    ],
  };
}
