/**
 * How a task leaves. ECS takes it out of the balancer, waits for the deregistration delay, and sends SIGTERM. From
 * then on the task lets clients in for `drainSeconds` more, since the balancer may still send some; then nobody, and
 * it waits up to `finishSeconds` for running transactions. What is left is cut before ECS kills the task.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html
 */
export const drain = {
  /** A balancer may open connections to a target for about two minutes after it was taken out. */
  deregistrationDelaySeconds: 120,
  drainSeconds: 45,
  finishSeconds: 70,
  /** The most that Fargate waits before it kills. */
  stopTimeoutSeconds: 120,
} as const;

/** The longest transaction that a drain never cuts; five seconds less than it waits, for the server to end it. */
const longestTransactionMs = (drain.finishSeconds - 5) * 1000;

/** What is wrong with the `transaction_timeout` of the roles that come through the pooler. */
export function drainProblems(transactionTimeoutMs: number): readonly string[] {
  if (transactionTimeoutMs > 0 && transactionTimeoutMs <= longestTransactionMs) return [];
  const given = transactionTimeoutMs > 0 ? `${transactionTimeoutMs} ms` : `${transactionTimeoutMs} (no limit)`;
  return [
    `a transaction_timeout of ${given} lets a transaction outlive the pooler's drain, which would cut its commit; set it to ${longestTransactionMs} ms or less`,
  ];
}
