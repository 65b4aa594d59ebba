// What the exporter took over at once, on its way to the endpoints that the ring gives it to: usually one.
//
//   attempt --> parts, one for each endpoint --all delivered--> resolves
//                 |  \--refused by an endpoint that left the ring--> routed anew, at once
//                 \--refused otherwise--> kept for the next attempt --all others ended--> rejects
//
// An attempt ends when every part has ended, so that nothing travels on unwatched; the next one sends what was refused
// and no more. What was refused for good refuses the whole in the end.

import { Delivery } from '../../delivery/delivery.ts'
import { DeliveryError } from '../../delivery/error.ts'
import type { Clock, Timer } from '../../graph/clock.ts'
import type { Batch } from '../../otlp/batch.ts'
import { timedOut } from '../../sending/errors.ts'
import type { Endpoint } from './endpoint.ts'

/** Where parts go, and when they may no longer go elsewhere. */
export interface Router {
  readonly clock: Clock
  /** 0: none. */
  readonly acceptTimeoutMs: number
  readonly stopping: boolean
  /** The batch in parts, each with its endpoint; an error when there is none. */
  route(batch: Batch): readonly (readonly [Endpoint, Batch])[] | DeliveryError
}

export class Consignment {
  readonly #router: Router
  readonly #whole: Batch
  /** What is still to be delivered. */
  #left: Batch[]
  readonly #open = new Set<Delivery>()
  #unaccepted = 0
  #lost: DeliveryError | undefined
  #refused: DeliveryError | undefined
  #sending = false
  #timer: Timer | undefined
  #resolve: () => void = nothing
  #reject: (error: DeliveryError) => void = nothing

  constructor(router: Router, whole: Batch) {
    this.#router = router
    this.#whole = whole
    this.#left = [whole]
  }

  /** Sends what is left. At most one attempt runs at a time. */
  attempt(signal: AbortSignal): Promise<void> {
    const batches = this.#left
    this.#left = []
    this.#refused = undefined
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      const { acceptTimeoutMs, clock } = this.#router
      if (acceptTimeoutMs > 0) this.#timer = clock.after(acceptTimeoutMs, this.#outOfTime)
      signal.addEventListener('abort', () => this.#abandon(signal.reason), { once: true })
      this.#sending = true
      for (const batch of batches) this.#send(batch)
      this.#sending = false
      this.#noteProgress()
    })
  }

  #send(batch: Batch): void {
    const routed = this.#router.route(batch)
    if (routed instanceof DeliveryError) this.#fail(batch, routed)
    else for (const [endpoint, part] of routed) this.#sendTo(endpoint, part)
  }

  #sendTo(endpoint: Endpoint, part: Batch): void {
    const startMs = this.#router.clock.monotonic()
    const end = (delivered: boolean): void => {
      this.#open.delete(delivery)
      endpoint.ended(delivered, this.#router.clock.monotonic() - startMs)
    }
    let accepted = false
    const accept = (): void => {
      if (!accepted) this.#unaccepted--
      accepted = true
    }
    const delivery = new Delivery({
      onAccepted: () => {
        accept()
        this.#noteAccepted()
      },
      onDelivered: () => {
        end(true)
        this.#noteProgress()
      },
      onRefused: (error) => {
        accept()
        end(false)
        if (endpoint.retired && error.retry !== 'never' && !this.#router.stopping) this.#send(part)
        else this.#fail(part, error)
        this.#noteProgress()
      },
    })
    this.#open.add(delivery)
    this.#unaccepted++
    endpoint.send(part.withDelivery(delivery))
  }

  #fail(batch: Batch, error: DeliveryError): void {
    if (error.retry === 'never') this.#lost ??= error
    else {
      this.#refused ??= error
      this.#left.push(batch)
    }
  }

  #noteAccepted(): void {
    if (this.#unaccepted > 0 || this.#sending || this.#refused !== undefined || this.#lost !== undefined) return
    this.#timer?.cancel()
    const { delivery } = this.#whole
    if (!delivery.settled) delivery.accept()
  }

  #noteProgress(): void {
    if (this.#sending) return
    if (this.#open.size > 0) {
      this.#noteAccepted()
      return
    }
    this.#timer?.cancel()
    const error = this.#refused ?? this.#lost
    if (error === undefined) this.#resolve()
    else this.#reject(error)
  }

  readonly #outOfTime = (): void => {
    if (this.#unaccepted > 0) this.#abandon(timedOut(this.#router.acceptTimeoutMs))
  }

  // Nothing more is heard of what an endpoint still holds: it may arrive, and be sent again.
  #abandon(error: DeliveryError): void {
    for (const delivery of [...this.#open]) if (!delivery.accepted) delivery.abandon(error)
  }
}

const nothing = (): void => {}
