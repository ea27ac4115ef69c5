import { environments } from '../../lib/config/environments';
import { synthesizeTier } from '../synthesize';

/** Hashes of assets change with every byte of a bundle; what matters of a template is the rest. */
function masked(template: object): unknown {
  return JSON.parse(JSON.stringify(template).replace(/\b[0-9a-f]{64}\b/g, '<hash>').replace(/\b[0-9a-f]{32}\b/g, '<hash>'));
}

describe.each(Object.keys(environments))('%s', (name) => {
  it('synthesizes the templates that were reviewed', () => {
    const { data, service } = synthesizeTier(name);
    expect(masked(data.toJSON())).toMatchSnapshot('data');
    expect(masked(service.toJSON())).toMatchSnapshot('service');
  });
});
