// What the exporter counts of documents and requests, beside what every exporter counts. contrib,
// exporter/elasticsearchexporter/documentation.md.

import type { Counter, Histogram, Meter } from '../../self/meter.ts'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

export class BulkMetrics {
  readonly #meter: Meter
  readonly #received: Counter
  readonly #retried: Counter
  readonly #flushed: Counter
  readonly #latency: Histogram

  constructor(meter: Meter) {
    this.#meter = meter
    this.#received = meter.counter('elasticsearch_docs_received', '{document}', 'Documents made of telemetry.')
    this.#retried = meter.counter('elasticsearch_docs_retried', '{document}', 'Documents that were sent again alone.')
    this.#flushed = meter.counter('elasticsearch_flushed_uncompressed_bytes', 'By', 'Bytes of bulk requests, unpacked.')
    this.#latency = meter.histogram(
      'elasticsearch_bulk_requests_latency',
      's',
      'How long bulk requests took.',
      SECONDS,
      { level: 'normal' },
    )
  }

  received(documents: number): void {
    this.#received.add(documents)
  }

  retried(documents: number): void {
    this.#retried.add(documents)
  }

  /** `outcome`: success, failed_client, failed_server, too_many, failure_store, unfit. */
  processed(outcome: string, documents: number, errorType = ''): void {
    if (documents === 0) return
    this.#meter
      .counter('elasticsearch_docs_processed', '{document}', 'Documents by what became of them.', {
        labels: { outcome },
        detailedLabels: { 'error.type': errorType },
        onceUsed: true,
      })
      .add(documents)
  }

  /** `status` 0: there was no answer. */
  request(outcome: string, status: number, bytes: number, tookMs: number): void {
    this.#meter
      .counter('elasticsearch_bulk_requests_count', '{request}', 'Bulk requests by what became of them.', {
        labels: { outcome },
        detailedLabels: { 'http.response.status_code': String(status) },
        onceUsed: true,
      })
      .add(1)
    this.#latency.record(tookMs / 1000)
    if (status >= 200 && status <= 299) this.#flushed.add(bytes)
  }
}
