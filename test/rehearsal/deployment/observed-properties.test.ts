import { observeProperties } from '../../../lib/rehearsal/deployment/observed-properties';

describe('observeProperties', () => {
  it('tells each property that nobody has read, as high up as possible', () => {
    const { properties, unread } = observeProperties({ Port: 5432, Storage: { Size: 20, Type: 'gp3' }, Tags: [{ Key: 'team', Value: 'data' }] });
    expect(unread()).toEqual(['Port', 'Storage', 'Tags']);
    expect((properties.Storage as { Size: number }).Size).toBe(20);
    expect(unread()).toEqual(['Port', 'Storage.Type', 'Tags']);
  });

  it('takes for read what was copied as a whole', () => {
    const { properties, unread } = observeProperties({ Environment: { Variables: { HOST: 'db' } } });
    expect({ ...(properties.Environment as { Variables: object }).Variables }).toEqual({ HOST: 'db' });
    expect(unread()).toEqual([]);
  });

  it('tells the item of a list, of which only the key was read, by its key or name', () => {
    const { properties, unread } = observeProperties({ Attributes: [{ Key: 'sticky', Value: 'true' }, { Key: 'new', Value: '1' }], Containers: [{ Name: 'sidecar', Image: 'agent' }] });
    const attributes = properties.Attributes as readonly { Key: string; Value: string }[];
    expect(attributes.find(({ Key }) => Key === 'sticky')?.Value).toBe('true');
    expect(attributes.some(({ Key }) => Key === 'other')).toBe(false);
    expect((properties.Containers as readonly { Name: string }[]).map(({ Name }) => Name)).toEqual(['sidecar']);
    expect(unread()).toEqual(['Attributes[new]', 'Containers[sidecar].Image']);
  });
});
