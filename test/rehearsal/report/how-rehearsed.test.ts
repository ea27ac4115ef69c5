import { howRehearsed } from '../../../lib/rehearsal/report/how-rehearsed';

describe('howRehearsed', () => {
  it.each([
    ['AWS::RDS::DBInstance', 'PostgreSQL 17 that withholds what RDS withholds; memory by this machine'],
    ['AWS::RDS::DBSubnetGroup', 'everything is on the loopback network, and may talk to everything'],
    ['AWS::New::Thing', 'this type is not known to the rehearsal'],
  ])('says of %s: %s', (type, how) => {
    expect(howRehearsed(type)).toBe(how);
  });
});
