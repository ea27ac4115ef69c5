/** CloudWatch namespace of every metric that the tier's own functions write. */
export const metricsNamespace = 'BookedBarber/Database';
