import type { AppProps } from 'aws-cdk-lib/core';

import { environments } from '../../lib/config/environments';
import type { ReplicaConfig } from '../../lib/config/tier-config';
import { addTiers } from '../../lib/tier/database-tier';
import { testApp } from '../synthesize';

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>>;
}

interface Stack {
  readonly name: string;
  readonly template: Template;
}

/** One environment, in the order in which `cdk deploy` goes through its stacks. */
function synthesizeWith(replicas: Readonly<Record<string, ReplicaConfig>>, context: AppProps['context'] = {}): readonly Stack[] {
  const app = testApp({ context });
  const [tier] = addTiers(app, { staging: { ...environments.staging, replicas } });
  const { stacks } = app.synth().getNestedAssembly(tier!.artifactId);
  const inOrder = [...stacks].sort((a, b) => (a.dependencies.includes(b) ? 1 : b.dependencies.includes(a) ? -1 : 0));
  return inOrder.map(({ stackName, template }) => ({ name: stackName, template: template as Template }));
}

/**
 * What CloudFormation checks between stacks when one of them is deployed: an export that another stack imports can be
 * neither removed nor changed, and what is referred to must be there.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
 */
class Account {
  private readonly deployed = new Map<string, Template>();

  deploy({ name, template }: Stack): void {
    const others = [...this.deployed].filter(([other]) => other !== name);
    const before = exportsOf(this.deployed.get(name));
    for (const [exported, value] of Object.entries(before)) {
      const users = others.filter(([, other]) => find(other, 'Fn::ImportValue').includes(exported));
      if (users.length > 0 && exportsOf(template)[exported] !== value) throw new Error(`export ${exported} cannot be changed or removed: ${users.map(([user]) => user).join(', ')} uses it`);
    }
    const available = Object.assign({}, ...others.map(([, other]) => exportsOf(other))) as Readonly<Record<string, string>>;
    for (const imported of find(template, 'Fn::ImportValue')) if (!(String(imported) in available)) throw new Error(`no export named ${String(imported)}`);
    for (const reference of find(template, 'Fn::GetStackOutput') as { readonly StackName: string; readonly OutputName: string }[]) {
      if (!this.deployed.get(reference.StackName)?.Outputs?.[reference.OutputName]) throw new Error(`${reference.StackName} has no output ${reference.OutputName}`);
    }
    this.deployed.set(name, template);
  }
}

function deployAll(...history: readonly (readonly Stack[])[]): void {
  const account = new Account();
  for (const stacks of history) for (const stack of stacks) account.deploy(stack);
}

function exportsOf(template: Template | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.values(template?.Outputs ?? {}).flatMap(({ Export, Value }) => (Export ? [[Export.Name, JSON.stringify(Value)]] : [])));
}

/** Arguments of an intrinsic function, wherever it stands. */
function find(value: unknown, intrinsic: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === intrinsic ? [item] : find(item, intrinsic)));
}

/** Logical ids of the replicas that the pooler's read-only alias leads to. */
function inPool(stacks: readonly Stack[]): readonly string[] {
  const task = Object.values(stacks[1]!.template.Resources).find(({ Type }) => Type === 'AWS::ECS::TaskDefinition');
  return ['stays', 'leaves'].filter((name) => JSON.stringify(task).includes(`Replica${name}`));
}

/** Those that the data stack has. */
function instancesOf(stacks: readonly Stack[]): readonly string[] {
  return ['stays', 'leaves'].filter((name) => Object.keys(stacks[0]!.template.Resources).some((id) => id.startsWith(`DatabaseReplica${name}`)));
}

describe('a read replica', () => {
  const one = synthesizeWith({ stays: {} });
  const two = synthesizeWith({ stays: {}, leaves: {} });
  const retiring = synthesizeWith({ stays: {}, leaves: { retiring: true } });

  it('is added before the pooler knows it, and leaves the pooler before it goes', () => {
    const history = [one, two, retiring, one].map((stacks) => [instancesOf(stacks), inPool(stacks)]);
    expect(history).toEqual([
      [['stays'], ['stays']],
      [['stays', 'leaves'], ['stays', 'leaves']],
      [['stays', 'leaves'], ['stays']],
      [['stays'], ['stays']],
    ]);
    // Databases first, pooler second. Of each deploy, the moment between the two: nobody is sent to what is not there.
    expect(one.map(({ name }) => name)).toEqual(['bookedbarber-staging-data', 'bookedbarber-staging-service']);
    for (const [before, after] of [[one, two], [two, retiring], [retiring, one]] as const) {
      expect(instancesOf([after[0]!, before[1]!])).toEqual(expect.arrayContaining([...inPool([after[0]!, before[1]!])]));
    }
  });

  it('changes nothing in the data stack while it retires', () => {
    expect(retiring[0]!.template).toEqual(two[0]!.template);
  });

  it('is added, retired and removed without one stack holding the other back', () => {
    expect(() => deployAll(one, two, retiring, one, two)).not.toThrow();
  });

  it('can be taken back at each step: the deploy before is deployed again', () => {
    expect(() => deployAll(one, two, one, two, retiring, two, retiring, one)).not.toThrow();
  });

  it('could never be removed with references that hold back what they refer to', () => {
    const strong = (replicas: Readonly<Record<string, ReplicaConfig>>) => synthesizeWith(replicas, { '@aws-cdk/core:defaultCrossStackReferences': 'strong' });
    expect(() => deployAll(strong({ stays: {}, leaves: { retiring: true } }), strong({ stays: {} }))).toThrow(/cannot be changed or removed: bookedbarber-staging-service uses it/);
  });
});
