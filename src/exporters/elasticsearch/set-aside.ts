// Documents that the server refuses for good: counted, said, and written to dead_letter_index where there is one, so that
// the rest of their batch goes its way.

import { DeliveryError } from '../../delivery/error.ts'
import type { ExporterContext } from '../../graph/component.ts'
import { encodeText } from '../../otlp/encode.ts'
import type { Signal } from '../../otlp/signal.ts'
import { countRejected } from '../../self/exporter-metrics.ts'
import { FailureLog } from '../../sending/failure-log.ts'
import { Piece } from '../../wire/piece.ts'
import type { Failure } from './bulk-answer.ts'
import { BulkBody, BulkWriter } from './bulk-body.ts'
import type { BulkMetrics } from './bulk-metrics.ts'
import type { ElasticsearchConfig } from './config.ts'

const CONFLICT = 409

export class SetAside {
  readonly #config: ElasticsearchConfig
  readonly #context: ExporterContext
  readonly #metrics: BulkMetrics
  readonly #log: FailureLog
  readonly #action: Piece
  #shownMs = Number.NEGATIVE_INFINITY

  constructor(config: ElasticsearchConfig, context: ExporterContext, metrics: BulkMetrics) {
    this.#config = config
    this.#context = context
    this.#metrics = metrics
    const { log, clock } = context
    const after = config.deadLetterIndex === '' ? 'Dropping them.' : `They go to ${config.deadLetterIndex}.`
    this.#log = new FailureLog(log, clock, 'error', `Documents were refused. ${after}`, 'rejected_items')
    this.#action = new Piece(`{"create":{"_index":${JSON.stringify(config.deadLetterIndex)}`)
  }

  stop(): void {
    this.#log.flush()
  }

  /** Items that could not even be written as documents. */
  unfit(signal: Signal, items: number, why: string): void {
    countRejected(this.#context.meter, signal, items)
    this.#metrics.processed('unfit', items)
    this.#log.report(new DeliveryError('ELASTICSEARCH_REFUSED', why, { retry: 'never' }), items)
  }

  /** What is to be written to the dead letter index; undefined where nothing is. */
  refused(signal: Signal, body: BulkBody, failures: readonly Failure[]): BulkBody | undefined {
    for (const failure of failures) {
      const { document, status, type, reason } = failure
      const items = body.items[document]!
      if (items > 0 && !body.isDeadLetters) countRejected(this.#context.meter, signal, items)
      this.#metrics.processed(outcomeOf(status), 1, type)
      const words = `${body.index(document)}: ${type}: ${reason} (${status})`
      if (status !== CONFLICT || !this.#config.suppressConflictErrors)
        this.#log.report(new DeliveryError('ELASTICSEARCH_REFUSED', words, { retry: 'never' }), items)
      this.#show(body, failure)
    }
    // What cannot be written there either has been said; writing about it would go round for ever.
    if (this.#config.deadLetterIndex === '' || body.isDeadLetters || failures.length === 0) return undefined
    return this.#deadLetters(signal, body, failures)
  }

  #show(body: BulkBody, { document, type }: Failure): void {
    const { logFailedDocsInput, logFailedDocsInputRateLimitMs } = this.#config.telemetry
    const now = this.#context.clock.monotonic()
    if (!logFailedDocsInput || now - this.#shownMs < logFailedDocsInputRateLimitMs) return
    this.#shownMs = now
    this.#context.log.debug('A document that was refused.', { 'error.type': type, input: body.document(document) })
  }

  #deadLetters(signal: Signal, body: BulkBody, failures: readonly Failure[]): BulkBody {
    const writer = new BulkWriter(0)
    writer.begin(body.bytes.length)
    const now = new Date(this.#context.clock.now()).toISOString()
    for (const { document, status, type, reason } of failures) {
      writer.open(this.#action)
      writer.openDocument()
      const fields = {
        '@timestamp': now,
        signal,
        index: body.index(document),
        status,
        error: { type, reason },
        document: body.document(document),
      }
      writer.text.raw(encodeText(JSON.stringify(fields).slice(1, -1)))
      writer.close(0)
    }
    const { bytes, starts, items } = writer.take()[0]!
    return new BulkBody(bytes, starts, items, true)
  }
}

const outcomeOf = (status: number): string =>
  status === 429 ? 'too_many' : status >= 500 ? 'failed_server' : 'failed_client'
