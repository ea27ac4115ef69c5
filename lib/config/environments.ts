import type { IndexDefinition, TierConfig } from './tier-config';

/** The guide's indexes. To add one, add a line; the deploy builds it without locking writers. */
const guideIndexes: readonly IndexDefinition[] = [
  // Core performance
  { name: 'idx_appointments_barber_date', table: 'appointments', definition: '(barber_id, appointment_date)' },
  { name: 'idx_appointments_client_date', table: 'appointments', definition: '(client_id, appointment_date)' },
  { name: 'idx_appointments_status_date', table: 'appointments', definition: '(status, appointment_date)' },
  { name: 'idx_appointments_location', table: 'appointments', definition: '(location_id)' },
  // Payments
  { name: 'idx_payments_appointment', table: 'payments', definition: '(appointment_id)' },
  { name: 'idx_payments_user_date', table: 'payments', definition: '(user_id, created_at DESC)' },
  { name: 'idx_payments_status', table: 'payments', definition: '(status)' },
  // Users and authentication
  { name: 'idx_users_email', table: 'users', definition: '(email)' },
  { name: 'idx_users_location', table: 'users', definition: '(location_id)' },
  // Analytics
  { name: 'idx_analytics_barber_date', table: 'analytics_events', definition: '(barber_id, event_date)' },
  { name: 'idx_analytics_type_date', table: 'analytics_events', definition: '(event_type, event_date)' },
  // Reviews
  { name: 'idx_reviews_location_date', table: 'reviews', definition: '(location_id, created_at DESC)' },
  { name: 'idx_reviews_rating', table: 'reviews', definition: '(rating)' },
];

/** The environments of the app. `npx cdk deploy 'staging/*'` deploys one of them. */
export const environments = {
  development: {
    network: { egress: { natGateways: 1 }, applications: { vpc: '10.20.0.0/16' }, migrationClients: { vpc: '10.20.0.0/16' } },
    database: {
      engineVersion: '17.9',
      instanceClass: 't4g.medium',
      multiAz: false,
      storage: { sizeGiB: 20 },
      backupRetentionDays: 1, // a replica needs backups on its source, in development too
      protection: { disposable: 'sample data only, rebuilt by the seed job' },
      maxConnections: 200,
      enhancedMonitoringSeconds: 0,
      logRetentionDays: 7,
    },
    replicas: { 'replica-1': {} },
    pooler: { minTasks: 1, maxTasks: 2, taskCpu: 256, taskMemoryMiB: 512, poolSize: 20, readOnlyPoolSize: 20, maxClientConnections: 1000 },
    indexes: guideIndexes,
  },

  staging: {
    network: { egress: { natGateways: 1 }, applications: { vpc: '10.20.0.0/16' }, migrationClients: { vpc: '10.20.0.0/16' } },
    database: {
      engineVersion: '17.9',
      instanceClass: 'm7g.large',
      multiAz: false,
      storage: { sizeGiB: 100, maxSizeGiB: 400 },
      backupRetentionDays: 7,
      protection: 'retain',
      maxConnections: 500,
    },
    replicas: { 'replica-1': {} },
    pooler: { minTasks: 2, maxTasks: 4, poolSize: 100, readOnlyPoolSize: 100 },
    indexes: guideIndexes,
  },

  production: {
    network: { egress: { natGateways: 2 }, applications: { vpc: '10.20.0.0/16' }, migrationClients: { vpc: '10.20.0.0/16' } },
    database: {
      engineVersion: '17.9',
      instanceClass: 'r7g.xlarge',
      instanceIdentifier: 'bookedbarber-prod',
      storage: { sizeGiB: 400, maxSizeGiB: 2000, iops: 12000, throughputMiBps: 500 },
      backupRetentionDays: 14,
      protection: 'retain',
      maxConnections: 500,
      databaseInsights: 'advanced',
      enhancedMonitoringSeconds: 15,
      logRetentionDays: 90,
    },
    replicas: { 'replica-1': { instanceIdentifier: 'bookedbarber-read-replica' } },
    pooler: { minTasks: 2, maxTasks: 4, poolSize: 100, readOnlyPoolSize: 100 },
    indexes: guideIndexes,
  },
} as const satisfies Record<string, TierConfig>;

/** Name of an environment of the app. */
export type EnvironmentName = keyof typeof environments;
