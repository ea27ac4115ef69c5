import { join } from 'node:path';

import { cachedDirectory } from './cache-directory';
import { run } from './child';
import { packageListStamp, debianRelease, unpackFromAnyMirror } from './debian-packages';
import { loaderIn, type Tool } from './debian-tools';

/** An interpreter, and the variables without which it would look for its modules elsewhere. */
export interface Python extends Tool {
  readonly environment: Readonly<Record<string, string>>;
}

/** SQLAlchemy by its release series; each is that of the Debian release that ships it. */
export type SqlalchemySeries = '1.4' | '2.0';

const packages = [
  'python3-minimal',
  'python3-asyncpg',
  'python3-boto3',
  'python3-fastapi',
  'python3-psycopg',
  'python3-psycopg-c',
  'python3-psycopg-pool',
  'python3-psycopg2',
  'python3-pyflakes',
  'python3-sqlalchemy',
  'python3-uvicorn',
  // Names of the rehearsal for programs that ask the C library, without root: https://cwrap.org/nss_wrapper.html
  'libnss-wrapper',
];
/** Modules are Python alone, so they run on the interpreter of the newer release. */
const olderSqlalchemy = { release: 'bookworm', packages: ['python3-sqlalchemy'] };
const modules = 'asyncpg, boto3, fastapi, psycopg, psycopg_pool, psycopg2, pyflakes, sqlalchemy, uvicorn';

/**
 * Python with the application's libraries as Debian ships them, unpacked once and run by its own loader, whatever this
 * machine has.
 *
 * @throws Error if the packages cannot be had
 */
export async function debianPython(series: SqlalchemySeries = '2.0', onProgress: (what: string) => void = () => undefined): Promise<Python> {
  const name = `debian-python-${debianRelease}-${process.arch}-${packageListStamp([...packages, olderSqlalchemy.release])}`;
  const directory = await cachedDirectory(name, async (target) => {
    await unpackFromAnyMirror({ packages, withDependencies: true }, target, onProgress);
    await unpackFromAnyMirror(olderSqlalchemy, join(target, 'older'), onProgress);
    for (const each of ['1.4', '2.0'] as const) {
      const { command, args, environment } = await pythonIn(target, each);
      // A library that is missing is named by the interpreter.
      await run({ name: 'python3', command, args: [...args, '-c', `import ${modules}\nassert sqlalchemy.__version__.startswith('${each}')`], environment });
    }
  });
  return pythonIn(directory, series);
}

async function pythonIn(directory: string, series: SqlalchemySeries): Promise<Python> {
  const { loader, libraries } = await loaderIn(directory);
  const args = ['--preload', join(libraries, 'libnss_wrapper.so'), '--library-path', libraries, join(directory, 'usr/bin/python3.13')];
  return {
    command: loader,
    args,
    environment: {
      PYTHONHOME: join(directory, 'usr'),
      // The cache may be another user's.
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '1',
      PYTHONPATH: series === '1.4' ? join(directory, 'older/usr/lib/python3/dist-packages') : '',
    },
  };
}
