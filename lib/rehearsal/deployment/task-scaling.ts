import { referencedIds } from '../../assembly/template';
import type { ResourceRequest } from './deployment';

/** How many tasks autoscaling lets a service have. */
export interface TaskScaling {
  readonly fewest: number;
  readonly most: number;
}

/** Of a service whose turn has come; the scalable target refers to it, so it is not made yet. */
export function taskScaling({ logicalId, stack }: Pick<ResourceRequest, 'logicalId' | 'stack'>): TaskScaling {
  const target = Object.values(stack.template.Resources).find(
    ({ Type, Properties }) => Type === 'AWS::ApplicationAutoScaling::ScalableTarget' && referencedIds(Properties?.ResourceId).includes(logicalId),
  );
  return { fewest: Number(target?.Properties?.MinCapacity ?? 1), most: Number(target?.Properties?.MaxCapacity ?? 1) };
}
