import { reviewPrepared } from './prepared-assemblies';
import { preparedReviews } from './prepared-changes';

function containing(text = ''): unknown {
  return expect.stringContaining(text);
}

describe('a review', () => {
  it.each(preparedReviews.map((prepared) => [prepared.title, prepared] as const))('says that %s', (_title, { change, before, finds, worst }) => {
    const { findings, worst: found } = reviewPrepared(change, before);
    expect(findings).toEqual(expect.arrayContaining(finds.map(({ what, atDeploy, ...finding }) => expect.objectContaining({ ...finding, what: containing(what), atDeploy: containing(atDeploy) }))));
    expect(found).toBe(worst);
  });
});
