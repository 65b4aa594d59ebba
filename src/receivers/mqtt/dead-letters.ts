// What no pipeline gets, as log records for the pipeline that dead_letter names: messages that could not be read, with the
// bytes that came, and batches that a pipeline refused for good, as the OTLP request that it did not take.

import { ConfigError } from '../../config/problem.ts'
import type { DeliveryError } from '../../delivery/error.ts'
import type { Output, ReceiverContext } from '../../graph/component.ts'
import { SEVERITY } from '../../readings/log-entry.ts'
import { Metrics, Naming, PLAIN_NAMING } from '../../readings/naming.ts'
import { Readings } from '../../readings/readings.ts'
import { Sources } from '../../readings/sources.ts'
import { Stream } from '../../readings/stream.ts'
import type { Cargo } from './outbox.ts'

export class DeadLetters {
  readonly #readings: Readings
  readonly #stream: Stream
  readonly #output: Output

  constructor(scope: string, output: Output) {
    this.#output = output
    const sources = new Sources({ maxSources: 1, maxSeries: 1, onFull: () => {} })
    this.#stream = new Stream(sources, [], new Naming(new Metrics(), PLAIN_NAMING))
    const device = (): Stream => this.#stream
    this.#readings = new Readings({ scope, sources, takesMetrics: false, takesLogs: true, device })
  }

  add(topic: string, rule: string, reason: string, words: string, body: Uint8Array, receivedMs: number): void {
    this.#readings.begin(this.#stream, receivedMs)
    this.#readings.log({
      body,
      severity: SEVERITY.WARN,
      event: 'mqtt.dead_letter',
      attributes: [
        ['mqtt.topic', topic],
        ['mqtt.rule', rule],
        ['error.type', reason],
        ['error.message', words],
      ],
    })
  }

  /** Of a batch that was refused. */
  instead({ signal, bytes, items }: Cargo, error: DeliveryError, nowMs: number): Cargo | undefined {
    this.#readings.begin(this.#stream, nowMs)
    this.#readings.log({
      body: bytes,
      isBinary: true,
      severity: SEVERITY.WARN,
      event: 'mqtt.refused_batch',
      attributes: [
        ['otlp.signal', signal],
        ['otlp.items', String(items)],
        ['error.type', error.code],
        ['error.message', error.message],
      ],
    })
    return this.take()
  }

  take(): Cargo | undefined {
    const { items } = this.#readings.logs
    const bytes = this.#readings.logs.take()
    return bytes === undefined ? undefined : { signal: 'logs', bytes, items, output: this.#output, isDead: true }
  }
}

/** Of the pipeline `deadLetter`; undefined for none. Throws ConfigError. */
export function deadLettersOf(deadLetter: string, context: ReceiverContext, scope: string): DeadLetters | undefined {
  if (deadLetter === '') return undefined
  const output = context.apart?.get(deadLetter)
  if (output !== undefined && /^logs(\/|$)/.test(deadLetter)) return new DeadLetters(scope, output)
  throw new ConfigError([
    {
      code: 'CONFIG_INVALID',
      path: `receivers.${context.id}.dead_letter`,
      what: `${deadLetter} is no pipeline for logs that has this receiver`,
      fix: `name a pipeline logs/... with ${context.id} among its receivers`,
    },
  ])
}
