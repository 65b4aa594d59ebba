// The order of samples on their way to the store: those of a series must arrive as they came.
//
//   one lane     a request is on its way; what comes meanwhile gathers in the next one
//   all lanes    once a whole request waits and more than one may be on its way: series are divided by their hash. What
//                waited before that goes first, alone
//
// Back to one lane when nothing waits. A lane has one request on its way, and tries it again before it sends another.

import { type ClientInfo, NO_CLIENT } from '../../otlp/batch.ts'
import { stopping } from '../../sending/errors.ts'
import type { Sender } from '../../sending/sender.ts'
import { Request, type Share } from './request.ts'
import type { Track } from './series-book.ts'

interface Lane {
  /** In the order in which they are sent; the last one still gathers, unless it is on its way. */
  readonly requests: Request[]
  isBusy: boolean
}

export interface LanesOptions {
  readonly count: number
  /** Of one request. */
  readonly maxBytes: number
  readonly sender: Sender<Request>
}

export class Lanes {
  readonly #options: LanesOptions
  readonly #lanes: readonly Lane[]
  /** Requests that have ended, to be used again; no more of them than there are lanes. */
  readonly #free: Request[] = []
  #isSpread = false
  #client = NO_CLIENT
  /** What the other lanes wait for. */
  #before: Request | undefined

  constructor(options: LanesOptions) {
    this.#options = options
    this.#lanes = Array.from({ length: options.count }, () => ({ requests: [], isBusy: false }))
  }

  /** Before the samples of a batch. Requests hold data of one client. */
  begin(client: ClientInfo): void {
    this.#client = client
    const [first] = this.#lanes as [Lane]
    if (this.#isSpread) this.#isSpread = this.#lanes.some(({ requests }) => requests.length > 0)
    else if (this.#lanes.length > 1 && first.requests.length > 2) {
      this.#isSpread = true
      this.#before = first.requests.at(-1)
    }
  }

  /** Where the next samples of that track belong. `more` is what comes with them, in bytes. `onJoin`: for the first of a share. */
  requestFor(track: Track, more: number, share: Share, onJoin: () => void): Request {
    const lane = this.#lanes[this.#isSpread ? track.hash % this.#lanes.length : 0]!
    let request = lane.requests.at(-1)
    const isTaken =
      request === undefined ||
      (lane.isBusy && lane.requests.length === 1) ||
      request === this.#before ||
      request?.client !== this.#client
    if (isTaken || request!.bytes + request!.bytesOf(track) + more > this.#options.maxBytes) {
      if (isTaken || request!.count > 0) {
        request = this.#free.pop()?.reset(this.#client) ?? new Request(this.#client)
        lane.requests.push(request)
      }
    }
    if (request!.join(share)) onJoin()
    return request!
  }

  /** After the samples of a batch: sends what can be sent. */
  flush(): void {
    for (const lane of this.#lanes) this.#next(lane)
  }

  /** Refuses what has not been sent. */
  abort(): void {
    this.#before = undefined
    for (const lane of this.#lanes)
      for (const request of lane.requests.splice(lane.isBusy ? 1 : 0)) request.delivery.refuse(stopping())
    this.#options.sender.abort()
  }

  #next(lane: Lane): void {
    const request = lane.requests[0]
    if (lane.isBusy || request === undefined) return
    if (this.#before !== undefined && lane !== this.#lanes[0]) return
    lane.isBusy = true
    this.#options.sender.send(request, () => {
      lane.isBusy = false
      lane.requests.shift()
      if (this.#free.length < this.#lanes.length) this.#free.push(request)
      if (request === this.#before) {
        this.#before = undefined
        this.flush()
      } else this.#next(lane)
    })
  }
}
