// The bytes that the doors of one receiver hold for requests which have no answer yet: a stalled pipeline ends in
// refusals, not in memory, and no client can take the room of the others.
//
//   open() --take() for each chunk--> arriving --arrived()--> waits for its answer --end()--> given back
//                                        \--give way, refused, gone: end()--/
//
// A connection may have so many bytes of requests that are still arriving, and where there is no room at all, the
// connection with the most of them gives way to one that asks for less: half-sent requests, kept open on purpose or by
// a bad network, can fill the budget and shut nobody out.

import { Slots } from '../collections/slots.ts'

export interface ByteBudgetOptions {
  /** Of requests that are still arriving, on one connection. One request may always be as large as its door allows. */
  readonly arrivingPerConnection?: number
  /** What a request counts beside its bytes. */
  readonly perRequest?: number
}

export class ByteBudget {
  readonly max: number
  readonly arrivingPerConnection: number
  readonly perRequest: number
  #used = 0
  readonly #connections = new WeakMap<object, ConnectionBytes>()
  /** Connections on which something arrives. */
  readonly #arriving = new Slots<ConnectionBytes>()

  constructor(max: number, { arrivingPerConnection = Infinity, perRequest = 0 }: ByteBudgetOptions = {}) {
    this.max = max
    this.arrivingPerConnection = arrivingPerConnection
    this.perRequest = perRequest
  }

  get used(): number {
    return this.#used
  }

  /** The share of a connection, by the object that stands for it: a socket or a session. */
  connection(key: object): ConnectionBytes {
    let connection = this.#connections.get(key)
    if (connection === undefined) {
      connection = new ConnectionBytes(this, this.#arriving)
      this.#connections.set(key, connection)
    }
    return connection
  }

  /** For requests alone. False, and nothing taken, when nobody who holds more than `asker` can give way. */
  tryTake(bytes: number, asker: number): boolean {
    while (this.#used + bytes > this.max) {
      let most: ConnectionBytes | undefined
      this.#arriving.each((connection) => {
        if (connection.arrivingBytes > (most?.arrivingBytes ?? asker)) most = connection
      })
      if (most === undefined) return false
      most.giveWay()
    }
    this.#used += bytes
    return true
  }

  /** For requests alone. */
  give(bytes: number): void {
    this.#used -= bytes
    if (this.#used < 0) throw new Error('invariant: more bytes given back than were taken')
  }
}

/** Over this average the pieces of a body are what they are; below it and beyond a number of them they are a flood. */
const SMALL_PIECE_BYTES = 16
export const arePiecesSmall = (bytes: number, pieces: number, maxSmallPieces: number): boolean =>
  pieces > maxSmallPieces && bytes < pieces * SMALL_PIECE_BYTES

export class ConnectionBytes {
  readonly budget: ByteBudget
  readonly #busy: Slots<ConnectionBytes>
  #slot = 0
  readonly #requests = new Slots<RequestBytes>()
  arrivingBytes = 0

  constructor(budget: ByteBudget, busy: Slots<ConnectionBytes>) {
    this.budget = budget
    this.#busy = busy
  }

  /**
   * A request begins; undefined when there is no room for it. `onGiveWay` is called when its bytes were given to
   * somebody else while it arrived: it has ended and is to be refused.
   */
  open(maxBytes: number, onGiveWay: () => void): RequestBytes | undefined {
    const request = new RequestBytes(this, maxBytes, onGiveWay)
    if (!request.take(this.budget.perRequest)) return undefined
    if (this.#requests.size === 0) this.#slot = this.#busy.add(this)
    request.slot = this.#requests.add(request)
    return request
  }

  giveWay(): void {
    let largest: RequestBytes | undefined
    this.#requests.each((request) => {
      if (largest === undefined || request.held > largest.held) largest = request
    })
    largest?.giveWay()
  }

  /** For requests alone. */
  forget(request: RequestBytes): void {
    this.arrivingBytes -= request.held
    this.#requests.remove(request.slot)
    if (this.#requests.size === 0) this.#busy.remove(this.#slot)
  }
}

export class RequestBytes {
  readonly #connection: ConnectionBytes
  readonly #maxArriving: number
  readonly #onGiveWay: () => void
  #arriving = true
  /** Its place among those that arrive on its connection. */
  slot = 0
  held = 0

  constructor(connection: ConnectionBytes, maxBytes: number, onGiveWay: () => void) {
    const { arrivingPerConnection, perRequest } = connection.budget
    this.#connection = connection
    this.#maxArriving = Math.max(arrivingPerConnection, maxBytes + perRequest)
    this.#onGiveWay = onGiveWay
  }

  /** More of the request has come. False, and nothing taken, when there is no room for it. */
  take(bytes: number): boolean {
    const connection = this.#connection
    const arriving = connection.arrivingBytes + bytes
    if (arriving > this.#maxArriving || !connection.budget.tryTake(bytes, arriving)) return false
    connection.arrivingBytes = connection.arrivingBytes + bytes
    this.held += bytes
    return true
  }

  /** The request is whole and `bytes` long from here on (unpacked, perhaps). False, and ended, when there is no room. */
  arrived(bytes: number): boolean {
    const { budget } = this.#connection
    this.#leave()
    const held = bytes + budget.perRequest
    if (held <= this.held) budget.give(this.held - held)
    else if (!budget.tryTake(held - this.held, held)) {
      this.end()
      return false
    }
    this.held = held
    return true
  }

  /** Gives everything back; calling it again is harmless. */
  end(): void {
    this.#leave()
    this.#connection.budget.give(this.held)
    this.held = 0
  }

  giveWay(): void {
    this.end()
    this.#onGiveWay()
  }

  #leave(): void {
    if (!this.#arriving) return
    this.#arriving = false
    this.#connection.forget(this)
  }
}
