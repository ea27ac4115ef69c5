import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type AssemblyStack, readEnvironment } from '../../lib/assembly/environment-assembly';
import { environments } from '../../lib/config/environments';
import type { TierConfig } from '../../lib/config/tier-config';
import { type ReviewReport, reviewChange } from '../../lib/review/review-report';
import { addTiers } from '../../lib/tier/database-tier';
import { testApp } from '../synthesize';

const project = join(__dirname, '../..');
const environment = 'production';

/** A replacement of text in a file of the code. */
export interface Edit {
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

/** A change of the configuration, or of the code. */
export type PreparedChange = { readonly config: (config: TierConfig) => TierConfig } | { readonly code: readonly Edit[] };

type AddTiers = typeof addTiers;
const unchanged: PreparedChange = { config: (config) => config };
let baseline: readonly AssemblyStack[] | undefined;

/** Synthesizes production before and after a change, and reviews the two. */
export function reviewPrepared(change: PreparedChange, before: PreparedChange = unchanged): ReviewReport {
  const base = before === unchanged ? (baseline ??= assembly(unchanged)) : assembly(before);
  return reviewChange({ base: 'before', head: 'after', environments: [{ environment, before: base, after: assembly(change) }], acknowledgements: { before: [], after: [] }, remarks: [] });
}

function assembly(change: PreparedChange): readonly AssemblyStack[] {
  const directory = mkdtempSync(join(tmpdir(), 'prepared-'));
  const cwd = process.cwd();
  try {
    const app = testApp({ outdir: join(directory, 'cdk.out'), context: { 'aws:cdk:enable-path-metadata': true } });
    if ('config' in change) addTiers(app, { [environment]: change.config(environments.production) });
    else editedCode(directory, change.code)(app, environments, environment);
    // A review judges what the guards refuse as well: they can be changed like everything else.
    app.synth({ skipValidation: true });
    return readEnvironment(app.outdir, environment);
  } finally {
    process.chdir(cwd);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The code with some edits, in a folder of its own. */
function editedCode(directory: string, edits: readonly Edit[]): AddTiers {
  for (const part of ['lib', 'assets', 'package.json', 'package-lock.json']) cpSync(join(project, part), join(directory, part), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(directory, 'node_modules'));
  for (const { file, replace, by } of edits) {
    const source = readFileSync(join(directory, file), 'utf8');
    if (!source.includes(replace)) throw new Error(`${file} no longer contains "${replace}": bring the prepared change up to date`);
    writeFileSync(join(directory, file), source.replaceAll(replace, by));
  }
  process.chdir(directory); // functions are bundled from where the app runs
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the folder is made here
  return (require(join(directory, 'lib/tier/database-tier')) as { addTiers: AddTiers }).addTiers;
}
