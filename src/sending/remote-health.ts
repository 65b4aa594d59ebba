// Whether the destination of an exporter takes data, as a gauge: 1 or 0 for each endpoint.
//
// Healthy is a destination that is connected (where the protocol keeps a connection) and did not fail the last attempt for
// a reason that may pass. Who refuses data for good has looked at them: that is an answer, and no fault of the remote.

import { DeliveryError } from '../delivery/error.ts'
import type { Meter } from '../self/meter.ts'
import type { Push } from './sender.ts'

export class RemoteHealth {
  readonly #connected: (() => boolean) | undefined
  #attempted = false
  #failed = false

  /** `connected` is asked at each reading; a protocol without a lasting connection leaves it out. */
  constructor(connected?: () => boolean) {
    this.#connected = connected
  }

  /** Undefined where only an attempt can tell and none has ended. */
  get healthy(): boolean | undefined {
    if (this.#connected === undefined && !this.#attempted) return undefined
    return !this.#failed && this.#isConnected()
  }

  /** The same push, whose outcomes are noted. */
  watch(push: Push): Push {
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
      { labels: { endpoint }, merge: 'max' },
    )
  }

  // What failed because there is no connection is told by the connection, and ends when it is back.
  #note(answered: boolean): void {
    this.#attempted = true
    this.#failed = !answered && this.#isConnected()
  }

  #isConnected(): boolean {
    return this.#connected?.() ?? true
  }
}
