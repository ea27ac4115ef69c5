import { join, relative } from 'node:path';

import ts from 'typescript';

import { keptForNextSynth } from '../synth-cache';
import type { TierConfig } from './tier-config';

const project = join(__dirname, '../..');

/**
 * The environments, once the compiler has looked at their file: what runs the app only strips types, and a field that is
 * misspelled would silently be left at its default. The compiler takes longer than the rest of a synth, so it looks when
 * a source has changed.
 *
 * @throws Error with everything that the compiler has against the file, each with its line
 */
export function checkedEnvironments(): Readonly<Record<string, TierConfig>> {
  const file = join(__dirname, 'environments.ts');
  keptForNextSynth('checked-environments', () => checkEnvironments(file));
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- not before it has been looked at
  return (require(file) as { readonly environments: Readonly<Record<string, TierConfig>> }).environments;
}

/** @throws Error with everything that the compiler has against the file, each with its line */
export function checkEnvironments(file: string): void {
  const problems = typeProblems(file);
  if (problems.length === 0) return;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  throw new Error(`${relative(project, file)} has ${count}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
}

function typeProblems(file: string): readonly string[] {
  const { config } = ts.readConfigFile(join(project, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { readonly config: { readonly compilerOptions: object } };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, project);
  const program = ts.createProgram([file], { ...options, types: ['node'], noUnusedLocals: false });
  const source = program.getSourceFile(file);
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((found) => {
    const { line } = ts.getLineAndCharacterOfPosition(found.file!, found.start!);
    // A whole literal is no news to whoever reads its line.
    return `line ${line + 1}: ${innermost(found.messageText).replace(/'\{.*\}(\.\.\.)?'/, "'{ … }'")}`;
  });
}

/** Of a chain of reasons, the one that names the field. */
function innermost(message: string | ts.DiagnosticMessageChain): string {
  if (typeof message === 'string') return message;
  const inner = message.next?.[0];
  return inner ? innermost(inner) : message.messageText;
}
