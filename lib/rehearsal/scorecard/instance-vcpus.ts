/**
 * vCPUs of an RDS instance class, from its size: `large` and smaller have 2, each `x` of `xlarge` 4.
 *
 * @throws Error for a size that does not end so
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
 */
export function instanceVCpus(instanceClass: string): number {
  const size = instanceClass.split('.').at(-1) ?? '';
  if (['micro', 'small', 'medium', 'large'].includes(size)) return 2;
  const [, times] = /^(\d*)xlarge$/.exec(size) ?? [];
  if (times === undefined) throw new Error(`the vCPUs of ${instanceClass} are not known`);
  return 4 * Number(times || '1');
}
