import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { AssetManifestArtifact, CloudAssembly, type CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';

import type { Template } from './template';

/** A stack as it was synthesized. */
export interface AssemblyStack {
  readonly stackName: string;
  /** Account and region, as `aws://account/region`. */
  readonly target: string;
  readonly terminationProtection: boolean;
  readonly template: Template;
  /** Directory of a file asset, by the object key that the template names; undefined if there is none. */
  assetDirectory(objectKey: string): string | undefined;
  /** Build context of an image asset, by the tag that the template names; undefined if there is none. */
  imageDirectory(tag: string): string | undefined;
  /** Build contexts of all image assets. */
  imageDirectories(): readonly string[];
}

/**
 * Names of the environments in a cloud assembly.
 *
 * @throws Error if the directory is no assembly
 */
export function environmentNames(assemblyDirectory: string): readonly string[] {
  return stagesOf(assemblyDirectory).map(({ displayName }) => displayName);
}

/**
 * Reads the stacks of one environment from a cloud assembly, in the order in which they are deployed.
 *
 * @throws Error if the directory is no assembly, or has no such environment; names those it has
 */
export function readEnvironment(assemblyDirectory: string, environment: string): readonly AssemblyStack[] {
  const stages = stagesOf(assemblyDirectory);
  const stage = stages.find((candidate) => candidate.displayName === environment);
  if (!stage) {
    throw new Error(`the assembly has no environment "${environment}"; it has ${stages.map(({ displayName }) => displayName).join(', ')}`);
  }
  return deployOrder(stage.nestedAssembly.stacks).map(readStack);
}

function stagesOf(assemblyDirectory: string): CloudAssembly['nestedAssemblies'] {
  if (!existsSync(join(assemblyDirectory, 'manifest.json'))) {
    throw new Error(`${resolve(assemblyDirectory)} is not a cloud assembly: it has no manifest.json; make one with "npx cdk synth --output ${assemblyDirectory}"`);
  }
  return new CloudAssembly(assemblyDirectory).nestedAssemblies;
}

function deployOrder(stacks: readonly CloudFormationStackArtifact[]): CloudFormationStackArtifact[] {
  const ordered = new Set<CloudFormationStackArtifact>();
  const visit = (stack: CloudFormationStackArtifact): void => {
    for (const needed of stack.dependencies) {
      const dependency = stacks.find((candidate) => candidate.id === needed.id);
      if (dependency && !ordered.has(dependency)) visit(dependency);
    }
    ordered.add(stack);
  };
  stacks.forEach(visit);
  return [...ordered];
}

function readStack(stack: CloudFormationStackArtifact): AssemblyStack {
  const manifest = stack.dependencies.find((artifact) => AssetManifestArtifact.isAssetManifestArtifact(artifact));
  const { files = {}, dockerImages = {} } = manifest
    ? (JSON.parse(readFileSync((manifest).file, 'utf8')) as AssetManifest)
    : {};
  const assetRoot = stack.assembly.directory;
  return {
    stackName: stack.stackName,
    target: stack.environment.name,
    terminationProtection: stack.terminationProtection ?? false,
    template: JSON.parse(readFileSync(stack.templateFullPath, 'utf8')) as Template,
    assetDirectory: (objectKey) => find(files, assetRoot, ({ objectKey: key }) => key === objectKey, ({ path }) => path),
    imageDirectory: (tag) => find(dockerImages, assetRoot, ({ imageTag }) => imageTag === tag, ({ directory }) => directory),
    imageDirectories: () => Object.values(dockerImages).flatMap(({ source }) => (source.directory === undefined ? [] : resolve(assetRoot, source.directory))),
  };
}

/** The part of an asset manifest that is read here. https://docs.aws.amazon.com/cdk/api/v2/docs/cloud-assembly-schema-readme.html */
interface AssetManifest {
  readonly files?: Readonly<Record<string, Asset>>;
  readonly dockerImages?: Readonly<Record<string, Asset>>;
}

interface Asset {
  readonly source: { readonly path?: string; readonly directory?: string };
  readonly destinations: Readonly<Record<string, { readonly objectKey?: string; readonly imageTag?: string }>>;
}

function find(
  assets: Readonly<Record<string, Asset>>,
  assetRoot: string,
  matches: (destination: Asset['destinations'][string]) => boolean,
  pathOf: (source: Asset['source']) => string | undefined,
): string | undefined {
  const asset = Object.values(assets).find(({ destinations }) => Object.values(destinations).some(matches));
  const path = asset && pathOf(asset.source);
  return path === undefined ? undefined : resolve(assetRoot, path);
}
