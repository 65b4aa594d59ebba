// Whether the destination of an exporter takes data, as a gauge: 1 or 0 for each endpoint.
//
// Healthy is a destination that is connected (where the protocol keeps a connection) and did not fail the last attempt for
// a reason that may pass. Who refuses data for good has looked at them: that is an answer, and no fault of the remote.
//
// Of several shards each has an opinion, and the worst is shown. One through which nothing flows any more has none after a
// while: its last attempt would stand for ever.

import { DeliveryError } from '../delivery/error.ts'
import type { ExporterContext } from '../graph/component.ts'
import type { Batch } from '../otlp/batch.ts'
import type { Meter } from '../self/meter.ts'

/** Longer than any pause between two tries that is usual. */
const FORGET_AFTER_MS = 120_000

export class RemoteHealth {
  readonly #context: Pick<ExporterContext, 'clock' | 'shards'>
  readonly #connected: (() => boolean) | undefined
  #attemptedMs: number | undefined
  #failed = false

  /** `connected` is asked at each reading; a protocol without a lasting connection leaves it out. */
  constructor(context: Pick<ExporterContext, 'clock' | 'shards'>, connected?: () => boolean) {
    this.#context = context
    this.#connected = connected
  }

  /** Undefined where only an attempt can tell and none has ended, or none for a long time. */
  get healthy(): boolean | undefined {
    const knows = this.#attemptedMs !== undefined && !this.#isForgotten(this.#attemptedMs)
    if (this.#connected === undefined && !knows) return undefined
    return !(knows && this.#failed) && this.#isConnected()
  }

  /** The same push, whose outcomes are noted. */
  watch<B = Batch>(push: (batch: B, signal: AbortSignal) => Promise<void>): typeof push {
    return async (batch, signal) => {
      try {
        await push(batch, signal)
      } catch (error) {
        this.#note(!(error instanceof DeliveryError) || error.retry === 'never')
        throw error
      }
      this.#note(true)
    }
  }

  /** `endpoint` is what the configuration names, without secrets. */
  observe(meter: Meter, endpoint: string): void {
    meter.observe(
      'exporter_remote_healthy',
      '1',
      'Whether the endpoint is connected and did not fail the last attempt for a reason that may pass: 1 or 0.',
      () => {
        const { healthy } = this
        // The registry leaves out a gauge that cannot be read.
        if (healthy === undefined) throw new Error('not known yet')
        return Number(healthy)
      },
      { labels: { endpoint }, merge: 'min' },
    )
  }

  // What failed because there is no connection is told by the connection, and ends when it is back.
  #note(answered: boolean): void {
    this.#attemptedMs = this.#context.clock.monotonic()
    this.#failed = !answered && this.#isConnected()
  }

  #isForgotten(attemptedMs: number): boolean {
    const { clock, shards } = this.#context
    return shards.count > 1 && clock.monotonic() - attemptedMs > FORGET_AFTER_MS
  }

  #isConnected(): boolean {
    return this.#connected?.() ?? true
  }
}
