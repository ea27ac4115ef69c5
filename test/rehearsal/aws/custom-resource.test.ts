import { createCustomResource, type CustomResourceEvent } from '../../../lib/rehearsal/aws/custom-resource';

const request = { logicalId: 'Indexes', resourceType: 'Custom::PostgresIndexes', stackName: 'service', properties: { Wait: true, List: [1, { a: 2 }] } };

describe('createCustomResource', () => {
  it('sends what CloudFormation sends: every scalar as text', async () => {
    const events: CustomResourceEvent[] = [];
    const onEvent = (event: CustomResourceEvent) => {
      events.push(event);
      return Promise.resolve({ PhysicalResourceId: 'p', Data: { a: 1 } });
    };
    const made = await createCustomResource({ onEvent }, request);
    expect(events).toMatchObject([{ RequestType: 'Create', LogicalResourceId: 'Indexes', ResourceType: 'Custom::PostgresIndexes', ResourceProperties: { Wait: 'true', List: ['1', { a: '2' }] } }]);
    expect(made).toEqual({ physicalResourceId: 'p', data: { a: 1 } });
  });

  it('asks isComplete with what onEvent answered until it says so, and joins the attributes', async () => {
    const asked: CustomResourceEvent[] = [];
    const made = await createCustomResource(
      {
        onEvent: () => Promise.resolve({ PhysicalResourceId: 'p', Data: { a: 1 } }),
        isComplete: (event) => Promise.resolve(asked.push(event) < 3 ? { IsComplete: false } : { IsComplete: true, Data: { b: 2 } }),
        queryIntervalMs: 1,
      },
      request,
    );
    expect(asked).toHaveLength(3);
    expect(asked[0]).toMatchObject({ PhysicalResourceId: 'p', Data: { a: 1 }, RequestType: 'Create' });
    expect(made.data).toEqual({ a: 1, b: 2 });
  });

  it('refuses an answer that CloudFormation would not take', async () => {
    await expect(createCustomResource({ onEvent: () => Promise.resolve({ Data: { text: 'x'.repeat(4096) } }) }, request)).rejects.toThrow(/its answer is \d+ bytes; CloudFormation takes 4096 at most/);
  });

  it('passes on why a handler failed', async () => {
    await expect(createCustomResource({ onEvent: () => Promise.reject(new Error('column nope')) }, request)).rejects.toThrow('column nope');
  });
});
