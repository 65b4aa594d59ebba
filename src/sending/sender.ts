// telemetry -> retry -> timeout -> push: sends one batch until it is delivered or given up, then settles it.
//
//   attempt --ok--> delivered
//      |  \--fails, final--------------------------------------> refused
//      |  \--fails, may pass--> back-off --time is up--> attempt
//      |                            \--stopRetries()-----------> refused as interrupted
//      \--abort()---------------------------------------------> refused
//
// Costs one promise (the push's own), one AbortController and one timer for each attempt; no closures on top.

import { Slots } from '../collections/slots.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { DeliveryError } from '../delivery/error.ts'
import type { Clock, Timer } from '../graph/clock.ts'
import type { Batch } from '../otlp/batch.ts'
import { Backoff } from './backoff.ts'
import type { RetryConfig } from './config.ts'
import { interrupted, noMoreRetries, stopping, timedOut, toDeliveryError } from './errors.ts'

/**
 * One try. Resolves when the destination has the batch, rejects with a DeliveryError, and ends soon after `signal`
 * aborts (with the signal's reason, or words of its own). The batch stays the sender's: a push never settles it.
 */
export type Push = (batch: Batch, signal: AbortSignal) => Promise<void>

/** What a sender settles in the end: a batch, or what an exporter makes of several. */
export interface Sendable {
  readonly delivery: Pick<Delivery, 'deliver' | 'refuse'>
}

export interface SenderOptions<B extends Sendable = Batch> {
  readonly push: (batch: B, signal: AbortSignal) => Promise<void>
  readonly retry: RetryConfig | undefined
  /** 0: none. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly random: () => number
  /** Before the batch is settled as delivered. */
  onSent(batch: B): void
  /** Before the batch is settled as refused. */
  onFailed(batch: B, error: DeliveryError): void
  onRetry(batch: B, error: DeliveryError, waitMs: number): void
}

export class Sender<B extends Sendable = Batch> {
  readonly options: SenderOptions<B>
  readonly #active = new Slots<Sendout<B>>()
  retriesStopped = false
  #onIdle: (() => void) | undefined

  constructor(options: SenderOptions<B>) {
    this.options = options
  }

  /** Batches that are being sent or wait for their next try. */
  get active(): number {
    return this.#active.size
  }

  /** Settles the batch in the end; `onEnd` is called right after that. */
  send(batch: B, onEnd: (batch: B) => void): void {
    const sendout = new Sendout(this, batch, onEnd)
    sendout.slot = this.#active.add(sendout)
    sendout.attempt()
  }

  /** What waits for its next try is refused now, and nothing is tried twice from here on. */
  stopRetries(): void {
    this.retriesStopped = true
    this.#active.each((sendout) => sendout.endBackoff())
  }

  /** Refuses everything that has not ended. */
  abort(): void {
    this.#active.each((sendout) => sendout.abort())
  }

  /** Resolves when nothing is being sent any more; nothing may be sent from then on. */
  whenIdle(): Promise<void> {
    if (this.#active.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** For Sendout alone. */
  ended(sendout: Sendout<B>): void {
    this.#active.remove(sendout.slot)
    if (this.#active.size === 0) this.#onIdle?.()
  }
}

class Sendout<B extends Sendable> {
  /** Its place among those that are under way. */
  slot = 0
  readonly #sender: Sender<B>
  readonly #batch: B
  readonly #onEnd: (batch: B) => void
  readonly #startedMs: number
  #backoff: Backoff | undefined
  #controller: AbortController | undefined
  #timer: Timer | undefined
  /** Why the last attempt failed, while the next one is waited for. */
  #waitsAfter: DeliveryError | undefined
  #over = false

  constructor(sender: Sender<B>, batch: B, onEnd: (batch: B) => void) {
    this.#sender = sender
    this.#batch = batch
    this.#onEnd = onEnd
    this.#startedMs = sender.options.clock.monotonic()
  }

  readonly attempt = (): void => {
    this.#waitsAfter = undefined
    const { push, timeoutMs, clock } = this.#sender.options
    this.#controller = new AbortController()
    this.#timer = timeoutMs > 0 ? clock.after(timeoutMs, this.#timedOut) : undefined
    let pushed: Promise<void>
    try {
      pushed = push(this.#batch, this.#controller.signal)
    } catch (error) {
      pushed = Promise.reject(error)
    }
    pushed.then(this.#pushed, this.#pushFailed)
  }

  endBackoff(): void {
    const error = this.#waitsAfter
    if (error !== undefined) this.#refuse(interrupted(error))
  }

  abort(): void {
    const error = this.#waitsAfter === undefined ? stopping() : interrupted(this.#waitsAfter)
    // Settled first: what the push makes of its abort comes too late to matter.
    this.#refuse(error)
    this.#controller?.abort(error)
  }

  readonly #timedOut = (): void => {
    this.#controller?.abort(timedOut(this.#sender.options.timeoutMs))
  }

  readonly #pushed = (): void => {
    if (this.#over) return
    this.#end()
    this.#sender.options.onSent(this.#batch)
    this.#batch.delivery.deliver()
    this.#onEnd(this.#batch)
  }

  readonly #pushFailed = (thrown: unknown): void => {
    if (this.#over) return
    this.#timer?.cancel()
    const error = toDeliveryError(thrown)
    const { retry, clock, random } = this.#sender.options
    if (error.retry === 'never' || retry === undefined) {
      this.#refuse(error)
      return
    }
    if (this.#sender.retriesStopped) {
      this.#refuse(interrupted(error))
      return
    }
    this.#backoff ??= new Backoff(retry, random)
    let waitMs = this.#backoff.nextMs()
    if (typeof error.retry === 'object') waitMs = Math.max(waitMs, error.retry.afterMs)
    const nextMs = clock.monotonic() - this.#startedMs + waitMs
    if (retry.maxElapsedMs > 0 && nextMs > retry.maxElapsedMs) {
      this.#refuse(noMoreRetries(error))
      return
    }
    this.#waitsAfter = error
    this.#timer = clock.after(waitMs, this.attempt)
    this.#sender.options.onRetry(this.#batch, error, waitMs)
  }

  #refuse(error: DeliveryError): void {
    this.#end()
    this.#sender.options.onFailed(this.#batch, error)
    this.#batch.delivery.refuse(error)
    this.#onEnd(this.#batch)
  }

  #end(): void {
    this.#over = true
    this.#timer?.cancel()
    this.#sender.ended(this)
  }
}
