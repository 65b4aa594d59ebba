// A client that numbers every span, and remembers the fate of each: a well-behaved OTLP client that sends again what was
// refused for now or not answered, until it has an answer that is final.
//
//   next number ──▶ sent ──▶ OK: acknowledged
//                   ▲  │───▶ refused for good
//                   │  ▼
//                  wait: refused for now, or no answer

import { findMarks, NumberSet, writeMark } from '../../bench/rig/numbered.ts'
import { payload } from '../../bench/rig/payloads.ts'
import { pause } from '../../bench/rig/processes.ts'
import { type Answer, type OtlpClient, otlpClient } from '../support/otlp-client.ts'

export interface SenderOptions {
  readonly protocol: 'grpc' | 'http'
  readonly port: number
  /** Tells the numbers of several senders apart. */
  readonly id: number
  readonly spansPerRequest: number
  /** Requests that wait for an answer at a time. */
  readonly inFlight: number
  /** The pause of each slot after its request is done; 0 sends as fast as answers come. */
  readonly pauseMs?: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

const ANSWER_WITHIN_MS = 5_000
/** A hint of a server is followed up to here. */
const LONGEST_WAIT_MS = 2_000
const FIRST_WAIT_MS = 10
const LONGEST_BACKOFF_MS = 200

/** Spans, as the sender saw them. */
export class Fates {
  readonly acknowledged = new NumberSet()
  readonly refusedForGood = new NumberSet()
  sent = 0
  /** Answers of refusal, for now or for good; a span that is refused twice counts twice. */
  refused = 0
  /** Sent, and no answer came: perhaps taken, and sent again. */
  unanswered = 0
  /** Rejected by a partial success. */
  rejected = 0
  /** Refusals by status, and how many of them asked for a wait. */
  readonly statuses = new Map<number, { times: number; hinted: number }>()
}

export class Sender {
  readonly fates = new Fates()
  readonly #options: SenderOptions
  readonly #client: OtlpClient
  readonly #template: Uint8Array
  readonly #marks: readonly number[]
  #slots: Promise<void>[] = []
  #stopping = false
  #givenUp = false

  constructor(options: SenderOptions) {
    this.#options = options
    this.#client = otlpClient(options.protocol, options.port, ANSWER_WITHIN_MS)
    this.#template = payload({ items: options.spansPerRequest, seed: options.id })
    this.#marks = findMarks(this.#template)
  }

  start(): void {
    this.#slots = Array.from({ length: this.#options.inFlight }, () => this.#run())
  }

  /** Sends no new numbers; true when all that were sent had a final answer within the time. */
  async finish(withinMs: number): Promise<boolean> {
    this.#stopping = true
    const timer = setTimeout(() => {
      this.#givenUp = true
    }, withinMs)
    await Promise.all(this.#slots)
    clearTimeout(timer)
    return !this.#givenUp
  }

  close(): void {
    this.#stopping = true
    this.#givenUp = true
    this.#client.close()
  }

  async #run(): Promise<void> {
    const { spansPerRequest, pauseMs = 0 } = this.#options
    while (!this.#stopping) {
      const first = this.fates.sent
      this.fates.sent += spansPerRequest
      await this.#deliver(this.#numbered(first), first)
      if (pauseMs > 0) await pause(pauseMs)
    }
  }

  #numbered(first: number): Uint8Array {
    const bytes = Buffer.from(this.#template)
    this.#marks.forEach((at, index) => {
      writeMark(bytes, at, this.#options.id, first + index)
    })
    return bytes
  }

  async #deliver(request: Uint8Array, first: number): Promise<void> {
    let backoffMs = FIRST_WAIT_MS
    while (!this.#givenUp) {
      const answer = await this.#client.export(request)
      const final = this.#note(answer)
      if (final !== undefined) {
        for (let index = 0; index < this.#options.spansPerRequest; index++) final.add(first + index)
        return
      }
      const hintMs = answer.kind === 'refused' ? (answer.retryAfterMs ?? 0) : 0
      // Half of the wait is chance, so that the slots do not march in step.
      await pause(Math.max(Math.min(hintMs, LONGEST_WAIT_MS), backoffMs * (0.5 + this.#options.random() / 2)))
      backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS)
    }
  }

  /** Where the numbers belong once the answer is final. */
  #note(answer: Answer): NumberSet | undefined {
    const { fates } = this
    const spans = this.#options.spansPerRequest
    switch (answer.kind) {
      case 'ok':
        fates.rejected += answer.rejected
        return fates.acknowledged
      case 'unsent':
        return undefined
      case 'unanswered':
        fates.unanswered += spans
        return undefined
      case 'refused': {
        fates.refused += spans
        let status = fates.statuses.get(answer.status)
        if (status === undefined) fates.statuses.set(answer.status, (status = { times: 0, hinted: 0 }))
        status.times++
        if (answer.retryAfterMs !== undefined) status.hinted++
        return answer.mayRetry ? undefined : fates.refusedForGood
      }
    }
  }
}
