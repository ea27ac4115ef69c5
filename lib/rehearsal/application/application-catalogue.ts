import { join } from 'node:path';

import { kitPackages } from '../../application-kit/application-kit';
import { debianPython, type SqlalchemySeries } from '../engines/debian-python';

/** Where an application runs, and what it is given. */
export interface Surroundings {
  /** The application kit, as an application's team would have it. */
  readonly kit: string;
  readonly address: string;
  readonly port: number;
  /** A file as `/etc/hosts`, with the names of the tier. */
  readonly hostsFile: string;
  readonly names: Readonly<Record<string, string>>;
  /** By what it verifies the pooler in place of the kit's authorities, which sign nothing here. @default - it verifies nothing */
  readonly authorityFile?: string;
  /** What AWS gives to a task. */
  readonly awsEnvironment: Readonly<Record<string, string>>;
}

/** A program, and what it is told. */
export interface ApplicationProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** An application that takes the same requests as the others, with another driver. */
export interface Application {
  readonly name: string;
  readonly title: string;
  /** Whether it has SQLAlchemy's pool, which can be asked to give out all that it has. */
  readonly hasSqlalchemyPool: boolean;
  readonly program: (surroundings: Surroundings) => Promise<ApplicationProgram>;
}

const sources = join(__dirname, '../../../assets/booking-application');
const nodeModules = join(__dirname, '../../../node_modules');
const loopbackNames = join(__dirname, '../network/loopback-names.cjs');

/** Every driver that the application kit has code for, in a program of its own. */
export const applications: readonly Application[] = [
  { name: 'fastapi-psycopg2', title: 'FastAPI, SQLAlchemy 1.4, psycopg2', hasSqlalchemyPool: true, program: fastapi('blocking_application', '1.4', { DRIVER: 'psycopg2' }) },
  { name: 'fastapi-asyncpg', title: 'FastAPI, SQLAlchemy 2, asyncpg', hasSqlalchemyPool: true, program: fastapi('async_application', '2.0') },
  { name: 'fastapi-psycopg', title: 'FastAPI, SQLAlchemy 2, psycopg 3', hasSqlalchemyPool: true, program: fastapi('blocking_application', '2.0', { DRIVER: 'psycopg' }) },
  { name: 'node-postgres', title: 'Node.js, node-postgres', hasSqlalchemyPool: false, program: nodeProgram },
];

function fastapi(module: string, series: SqlalchemySeries, variables: Readonly<Record<string, string>> = {}): Application['program'] {
  return async ({ kit, address, port, hostsFile, authorityFile, awsEnvironment }) => {
    const { command, args, environment } = await debianPython(series);
    const uvicorn = ['-m', 'uvicorn', `${module}:app`, '--host', address, '--port', `${port}`, '--log-level', 'warning', '--no-access-log'];
    return {
      command,
      args: [...args, ...uvicorn],
      environment: {
        ...environment,
        ...awsEnvironment,
        // boto3 knows this name only.
        AWS_DEFAULT_REGION: awsEnvironment.AWS_REGION!,
        NSS_WRAPPER_HOSTS: hostsFile,
        ...verifyingBy(authorityFile),
        PYTHONPATH: [join(kit, kitPackages.python, '..'), sources, environment.PYTHONPATH].join(':'),
        ...variables,
      },
    };
  };
}

function nodeProgram({ kit, address, port, names, authorityFile, awsEnvironment }: Surroundings): Promise<ApplicationProgram> {
  return Promise.resolve({
    command: process.execPath,
    args: ['--require', loopbackNames, join(sources, 'application.js'), address, `${port}`],
    environment: { ...awsEnvironment, ...verifyingBy(authorityFile), LOOPBACK_NAMES: JSON.stringify(names), NODE_PATH: [join(kit, kitPackages.node, '..'), nodeModules].join(':') },
  });
}

/** Where nobody can verify, the variable must not be set: libpq would try to. https://www.postgresql.org/docs/17/libpq-ssl.html */
function verifyingBy(authorityFile: string | undefined): Readonly<Record<string, string>> {
  return authorityFile === undefined ? {} : { PGSSLROOTCERT: authorityFile };
}
