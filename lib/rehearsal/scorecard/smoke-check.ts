import { smokeCheckProperties, smokeCheckResourceType } from '../../tier/smoke-check/smoke-check.contract';
import type { Check } from '../report/report';
import { type Bench, checkOf } from './bench';

/** Runs the template's own smoke check once more, as the last step of a deploy that changes the configuration. */
export async function measureSmokeCheck({ tier }: Bench): Promise<Check> {
  try {
    // With the properties that it has, it would take this for CloudFormation's way back, and only look on.
    await tier.functions.updateCustomResource(smokeCheckResourceType, { [smokeCheckProperties.configuration]: 'after the loads' });
    return checkOf('smoke-check', 0, {}, 'a write and a read travelled load balancer, pooler and databases, after all loads');
  } catch (error) {
    return checkOf('smoke-check', 1, {}, (error as Error).message);
  }
}
