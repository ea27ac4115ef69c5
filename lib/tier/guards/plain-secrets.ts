import type { Guard, GuardProblem } from './guarded-stack';

/** Values that are secrets wherever they stand. */
const secretValues: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a password in a URL', /\b[a-z][a-z0-9+]*:\/\/[^\s/:@]+:[^\s/@]+@/i],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a SCRAM verifier', /SCRAM-SHA-256\$\d+:/],
  ['an md5 password hash', /\bmd5[0-9a-f]{32}\b/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
];

/** Properties and variables that hold nothing but a secret. */
const secretName = /(?:^|[_-]|[a-z](?=[A-Z]))(?:password|passwd|secret|secretstring|token|private_?key|api_?key|credentials?|userlist)$|^(?:pgpassword|secretstring)$/i;
/** Resolved by CloudFormation: what the container or function gets is the secret itself, for all who may describe it. */
const dynamicReference = /\{\{resolve:(?:secretsmanager|ssm-secure):/;

/** Refuses secrets that anybody who may read the template, or describe a task or a function, could read. */
export const guardPlainSecrets: Guard = ({ template }) =>
  Object.entries(template.Resources).flatMap(([logicalId, { Properties }]) => [...walk(Properties, [])].flatMap((leaf) => judge(logicalId, leaf)));

interface Leaf {
  readonly path: readonly string[];
  readonly name: string;
  readonly text: string;
}

function judge(logicalId: string, { path, name, text }: Leaf): readonly GuardProblem[] {
  const where = [...path, name].join('.');
  const inEnvironment = path.some((part) => part === 'Environment');
  const fix = inEnvironment ? "give its ARN and let it be read at run time, or use the task's Secrets" : 'keep it in Secrets Manager and refer to it';
  const found = secretValues.find(([, pattern]) => pattern.test(text));
  // Never the value: the message ends up in logs.
  if (found) return [{ logicalId, message: `${where} holds ${found[0]} (${text.length} characters); ${fix}` }];
  if (inEnvironment && dynamicReference.test(text)) return [{ logicalId, message: `${where} resolves to a secret in plain text; ${fix}` }];
  if (secretName.test(name) && text !== '' && !dynamicReference.test(text)) {
    return [{ logicalId, message: `${where} is a literal of ${text.length} characters under the name of a secret; ${fix}` }];
  }
  return [];
}

/** Every text of a value, by the name under which it stands; `[{ Name, Value }]` and `Fn::Join` are read as they are meant. */
function* walk(value: unknown, path: readonly string[], name = ''): Generator<Leaf> {
  if (typeof value === 'string') {
    yield { path, name, text: value };
  } else if (Array.isArray(value)) {
    for (const item of value) yield* walk(item, path, name);
  } else if (typeof value === 'object' && value !== null) {
    const entries = value as Readonly<Record<string, unknown>>;
    if ('Ref' in entries || 'Fn::GetAtt' in entries || 'Fn::GetStackOutput' in entries || 'Fn::ImportValue' in entries) return;
    if ('Fn::Join' in entries) {
      yield { path, name, text: joined(entries['Fn::Join']) };
    } else if (typeof entries.Name === 'string' && 'Value' in entries) {
      yield* walk(entries.Value, [...path, name], entries.Name);
    } else {
      const inside = name === '' ? path : [...path, name];
      for (const [key, child] of Object.entries(entries)) yield* walk(child, inside, key);
    }
  }
}

/** The parts that stand in the template; a reference shows nothing. */
function joined(argument: unknown): string {
  const [separator, parts] = argument as [string, readonly unknown[]];
  return Array.isArray(parts) ? parts.map((part) => (typeof part === 'string' ? part : '…')).join(separator) : '';
}
