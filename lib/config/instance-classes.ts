/** What an RDS instance class offers. */
export interface InstanceClass {
  /** Name without the `db.` prefix, for example 'r7g.large'. */
  readonly name: string;
  readonly vCpus: number;
  readonly memoryMiB: number;
  /** CPU credits instead of whole cores. */
  readonly burstable: boolean;
}

/** Sizes with their vCPUs; memory follows from the family. */
const vCpusOfSize = {
  large: 2, xlarge: 4, '2xlarge': 8, '4xlarge': 16, '8xlarge': 32, '12xlarge': 48, '16xlarge': 64, '24xlarge': 96, '32xlarge': 128, '48xlarge': 192,
} as const; // prettier-ignore
type Size = keyof typeof vCpusOfSize;

interface Family {
  readonly gibPerVCpu: number;
  readonly sizes: readonly Size[];
}

const gravitonSizes: readonly Size[] = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'];
const intelSizes: readonly Size[] = [...gravitonSizes, '24xlarge'];

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Support.html, PostgreSQL 17 */
const families: Readonly<Record<string, Family>> = {
  m5: { gibPerVCpu: 4, sizes: intelSizes },
  m6g: { gibPerVCpu: 4, sizes: gravitonSizes },
  m6i: { gibPerVCpu: 4, sizes: [...intelSizes, '32xlarge'] },
  m7g: { gibPerVCpu: 4, sizes: gravitonSizes },
  m7i: { gibPerVCpu: 4, sizes: [...intelSizes, '48xlarge'] },
  m8g: { gibPerVCpu: 4, sizes: [...gravitonSizes, '24xlarge', '48xlarge'] },
  r5: { gibPerVCpu: 8, sizes: intelSizes },
  r6g: { gibPerVCpu: 8, sizes: gravitonSizes },
  r6i: { gibPerVCpu: 8, sizes: [...intelSizes, '32xlarge'] },
  r7g: { gibPerVCpu: 8, sizes: gravitonSizes },
  r7i: { gibPerVCpu: 8, sizes: [...intelSizes, '48xlarge'] },
  r8g: { gibPerVCpu: 8, sizes: [...gravitonSizes, '24xlarge', '48xlarge'] },
  x2g: { gibPerVCpu: 16, sizes: gravitonSizes },
};

const burstableMemoryGiB = { micro: 1, small: 2, medium: 4, large: 8, xlarge: 16, '2xlarge': 32 } as const;
const burstableFamilies = ['t3', 't4g'] as const;

const instanceClasses: ReadonlyMap<string, InstanceClass> = new Map(
  [
    ...Object.entries(families).flatMap(([family, { gibPerVCpu, sizes }]) =>
      sizes.map((size): InstanceClass => {
        const vCpus = vCpusOfSize[size];
        return { name: `${family}.${size}`, vCpus, memoryMiB: vCpus * gibPerVCpu * 1024, burstable: false };
      }),
    ),
    ...burstableFamilies.flatMap((family) =>
      Object.entries(burstableMemoryGiB).map(([size, gib]): InstanceClass => {
        const vCpus = size === 'xlarge' ? 4 : size === '2xlarge' ? 8 : 2;
        return { name: `${family}.${size}`, vCpus, memoryMiB: gib * 1024, burstable: true };
      }),
    ),
  ].map((instanceClass) => [instanceClass.name, instanceClass]),
);

/** The class of that name, without the `db.` prefix; undefined if RDS for PostgreSQL 17 has none. */
export function findInstanceClass(name: string): InstanceClass | undefined {
  return instanceClasses.get(name);
}

/** Names like the given one, for an error message: the same family, else every family's name. */
export function similarInstanceClasses(name: string): readonly string[] {
  const family = name.split('.')[0]!;
  const sameFamily = [...instanceClasses.keys()].filter((candidate) => candidate.startsWith(`${family}.`));
  return sameFamily.length > 0 ? sameFamily : [...Object.keys(families), ...burstableFamilies].map((known) => `${known}.*`);
}
