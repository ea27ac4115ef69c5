import { mirrorsIn } from '../../../lib/rehearsal/engines/debian-mirrors';

describe("apt's mirrors", () => {
  it('are each taken once, without those of updates alone', () => {
    const targets = `bookworm-security main http://a.example/debian-security/
bookworm main http://a.example/debian/
bookworm-updates main http://a.example/debian/
trixie main http://a.example/debian/
bookworm contrib http://a.example/debian/
noble main mirror+file:/etc/apt/mirrors/list
stable nightly https://c.example/linux/
`;
    expect(mirrorsIn(targets)).toEqual(['http://a.example/debian/', 'mirror+file:/etc/apt/mirrors/list']);
  });

  it('are none if apt lists none', () => {
    expect(mirrorsIn('')).toEqual([]);
  });
});
