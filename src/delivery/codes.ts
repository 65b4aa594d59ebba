// Every reason for which a batch is refused, by its stable code. docs/reference/delivery-codes.md is generated from here.

export const DELIVERY_CODES = {
  AUTH_BAD_HEADER: 'An authenticator of a client would set a header to a value that no header can have.',
  AUTH_NO_CREDENTIAL: 'An authenticator of a client has no credential, for example because the token server is down.',
  BATCH_FULL: 'batch holds too much that the next component has not taken.',
  BATCH_TOO_MANY_COMBINATIONS: 'batch would need more combinations of metadata values than metadata_cardinality_limit.',
  COMPONENT_FAILED:
    'A component failed on the batch, which is a mistake of ours: the log has it, otelcol_<kind>_failed_items counts it.',
  ELASTICSEARCH_REFUSED:
    'Elasticsearch or OpenSearch refused single documents, or they could not be written as documents.',
  EXPORTER_FAILED: 'An exporter met an error that it does not know: a mistake of ours.',
  EXPORTER_NOT_STARTED: 'An exporter was given a batch before it was started.',
  EXPORTER_STOPPED: 'The router is stopping, and the time for draining is over.',
  FAILOVER_EXHAUSTED: 'Every level of a failover connector refused the batch.',
  FILE_BUSY: 'The file exporter holds as many bytes as it may, because the disk does not keep up.',
  FILE_CLOSED: 'The file exporter is stopped.',
  FILE_SHUTDOWN: 'The file exporter was stopped before it could write.',
  FILE_WRITE_FAILED: 'The file could not be written.',
  GRAPH_CHANGED: 'A reload took out the component that the batch waited for, and no other took its place.',
  LOAD_BALANCING_NO_ENDPOINT: 'The load_balancing exporter knows no endpoint yet.',
  MEMORY_LIMITED: 'memory_limiter refuses until memory is below its limit again.',
  MQTT_NOT_PUBLISHABLE: 'The mqtt exporter can make no topic or no payload of an item.',
  NEXT_HOP_BAD_ANSWER: 'The next hop answered with success and something that is no answer of its protocol.',
  NEXT_HOP_NO_ANSWER: 'The next hop could not be reached, or closed the connection.',
  NEXT_HOP_REFUSED: 'The next hop refused the request.',
  QUEUE_DISK_FAILED: 'The sending queue could not be written to disk: it is full, read-only or broken.',
  QUEUE_FULL: 'The sending queue is full.',
  QUEUE_REQUEST_TOO_LARGE: 'A request is larger than the whole sending queue.',
  REQUEST_UNREADABLE: 'A request that another shard received could not be unpacked, or is no OTLP.',
  SEND_TIMEOUT: 'The next hop gave no answer within the timeout.',
  SHARD_BUSY: 'The shard that should have the batch has not accepted what it was handed before.',
  SHARD_DIED: 'The shard that had the batch, or should have had it, died and does not run again yet.',
} as const

/** Codes of tests start with TEST. */
export type DeliveryCode = keyof typeof DELIVERY_CODES | `TEST${string}`
