import { settingDifferences } from '../../../lib/rehearsal/scorecard/setting-differences';

describe('settingDifferences', () => {
  it('names every setting that runs otherwise, and those that nobody knows', () => {
    const running = [{ name: 'work_mem', value: '4096' }, { name: 'jit', value: 'off' }, { name: 'empty', value: '' }];
    expect(settingDifferences('prod', { work_mem: '16384', jit: '1', empty: 'x', old_one: '1' }, running)).toEqual([
      'work_mem of prod is 4096, not 16384',
      'jit of prod is off, not 1',
      'empty of prod is empty, not x',
      'prod does not know old_one',
    ]);
  });

  it.each([
    ['1', 'on'],
    ['0', 'off'],
    ['0.90', '0.9'],
    ['pg_stat_statements, auto_explain', 'pg_stat_statements,auto_explain'],
    ['require', 'require'],
  ])('takes %s and %s for the same', (wanted, value) => {
    expect(settingDifferences('prod', { name: wanted }, [{ name: 'name', value }])).toEqual([]);
  });

  it('knows what the server calls the compression of WAL that is on', () => {
    expect(settingDifferences('prod', { wal_compression: '1' }, [{ name: 'wal_compression', value: 'pglz' }])).toEqual([]);
    expect(settingDifferences('prod', { wal_compression: '1' }, [{ name: 'wal_compression', value: 'lz4' }])).toEqual(['wal_compression of prod is lz4, not 1']);
    expect(settingDifferences('prod', { wal_compression: '0' }, [{ name: 'wal_compression', value: 'pglz' }])).toEqual(['wal_compression of prod is pglz, not 0']);
  });
});
