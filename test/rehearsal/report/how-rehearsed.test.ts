import { howRehearsed } from '../../../lib/rehearsal/report/how-rehearsed';

describe('howRehearsed', () => {
  it.each([
    ['AWS::RDS::DBInstance', 'PostgreSQL that withholds what RDS withholds'],
    ['AWS::RDS::DBSubnetGroup', 'everything is on the loopback network, and may talk to everything'],
    ['AWS::New::Thing', undefined],
  ])('says of %s: %p', (type, how) => {
    expect(howRehearsed(type)).toBe(how);
  });
});
