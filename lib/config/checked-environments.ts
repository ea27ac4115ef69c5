import { join, relative } from 'node:path';

import ts from 'typescript';

import type { TierConfig } from './tier-config';

const project = join(__dirname, '../..');

/**
 * The environments of a file, once the compiler has looked at it: what runs the app only strips types, and a field that is
 * misspelled would silently be left at its default.
 *
 * @param file exports `environments`. @default `environments.ts` beside this one
 * @throws Error with everything that the compiler has against the file, each with its line
 */
export function checkedEnvironments(file = join(__dirname, 'environments.ts')): Readonly<Record<string, TierConfig>> {
  const problems = typeProblems(file);
  if (problems.length > 0) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    throw new Error(`${relative(project, file)} has ${count}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- not before it has been looked at
  return (require(file) as { readonly environments: Readonly<Record<string, TierConfig>> }).environments;
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
