// Sends each batch to the pipelines of one level; when one of them refuses, the same bytes go to the next level.
//
//   current = 0 --that level refuses--> 1 --refuses--> 2 ... the last --refuses--> 0
//      ^                                |
//      +----- a probe is delivered -----+   each retry_interval one batch tries the levels above the current one first
//
// A batch is refused when every level has refused it, with a reason that lets its sender try again: nothing is given up
// while there is a level that was not asked.
//
// What decides is the delivery record, that is, the end: a queue behind a level may take the batch, so that its sender is
// answered, and give it up minutes later; the batch then goes to the next level, and the sender's record follows. Until it
// is settled the batch is held here too: the same bytes that the queue holds.
//
// Only what is heard of the current level moves it: of a hundred batches that fail together the first one does. A level
// that refuses a batch for good (malformed, not permitted) is left only if another level takes the same bytes; otherwise
// one bad batch would move everybody.

import { ConfigError } from '../../config/problem.ts'
import { DeliveryError } from '../../delivery/error.ts'
import type { Timer } from '../../graph/clock.ts'
import type { Connector, ConnectorContext, Output } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { Counter, Gauge } from '../../self/meter.ts'
import { Attempt } from './attempt.ts'
import type { FailoverConfig } from './config.ts'
import { pipelineProblems } from './pipelines.ts'

export class FailoverConnector implements Connector {
  readonly #context: ConnectorContext
  readonly #levels: readonly (readonly string[])[]
  readonly #retryIntervalMs: number
  readonly #level: Gauge
  readonly #failovers: readonly Counter[]
  #current = 0
  #probeDue = false
  #timer: Timer | undefined
  #stopped = false

  constructor(config: FailoverConfig, context: ConnectorContext) {
    this.#context = context
    this.#levels = config.levels
    this.#retryIntervalMs = config.retryIntervalMs
    const signal = { 'otel.signal': context.from }
    this.#level = context.meter.gauge(
      'connector_failover_level',
      '{level}',
      'The level that takes the data: 0 is the first in priority_levels.',
      { labels: signal, merge: 'max' },
    )
    this.#failovers = config.levels.map((_, level) =>
      context.meter.counter(
        'connector_failover_count',
        '{times}',
        'Number of times the connector failed from the respective level.',
        { labels: { ...signal, level: String(level) } },
      ),
    )
    const problems = pipelineProblems(config.levels, context)
    if (problems.length > 0) throw new ConfigError(problems)
  }

  process(batch: Batch): void {
    const probe = this.#probeDue
    this.#probeDue = false
    new Attempt(this, batch, probe).sendTo(probe ? 0 : this.#current)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  get levels(): number {
    return this.#levels.length
  }

  get current(): number {
    return this.#current
  }

  outputsOf(level: number): Output[] {
    // A reload may be taking a pipeline away.
    return this.#levels[level]!.map((pipeline) => this.#context.pipelines.get(pipeline) ?? GONE)
  }

  failed(level: number, error: DeliveryError): void {
    if (level !== this.#current) return
    this.#failovers[level]!.add(1)
    if (this.levels === 1) return
    const next = (level + 1) % this.levels
    this.#context.log.warn('Failing over', {
      from: this.#levels[level]!.join(', '),
      to: this.#levels[next]!.join(', '),
      error: error.message,
    })
    this.#moveTo(next)
  }

  /** A level above the current one was tried first, and took the batch. */
  recovered(level: number): void {
    if (level >= this.#current) return
    this.#context.log.info('A level above takes data again', { level: this.#levels[level]!.join(', ') })
    this.#moveTo(level)
  }

  #moveTo(level: number): void {
    this.#current = level
    this.#level.set(level)
    if (level > 0) {
      if (this.#timer === undefined && !this.#stopped) this.#schedule()
      return
    }
    this.#timer?.cancel()
    this.#timer = undefined
    this.#probeDue = false
  }

  #schedule(): void {
    this.#timer = this.#context.clock.after(this.#retryIntervalMs, () => {
      this.#probeDue = true
      this.#schedule()
    })
  }
}

const GONE: Output = {
  send(batch) {
    batch.delivery.refuse(
      new DeliveryError('GRAPH_CHANGED', 'the pipeline is not there any more', { retry: 'backoff' }),
    )
  },
}
