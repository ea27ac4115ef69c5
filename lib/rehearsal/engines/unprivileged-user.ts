/** Whether this process may become another user, and must: neither PostgreSQL nor PgBouncer runs as root. */
export const runsAsRoot = process.getuid?.() === 0;

/** `nobody`, who exists on every Linux. */
export const unprivilegedUid = 65534;
