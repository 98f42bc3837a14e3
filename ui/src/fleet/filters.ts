/** The queries behind the counters. */
export const COUNTER_QUERIES = {
  online: 'ping:online',
  hybrid: 'kind:hybrid',
  notConnectable: 'state:blocked,lost',
} as const;
