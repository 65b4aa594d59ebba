// Unpacking of request bodies, one at a time and so many bytes in one turn of the event loop: a sender of bombs, or many
// of them, cost others one body's time at most.
//
// A body is unpacked at once while the turn has room, which is nearly always. Else it waits; connections take turns,
// and what else has arrived is served between two turns. Where the line is full, the connection with the most bodies in
// it gives way. Whoever waits holds its bytes against the budget of the door.

import { CompressionError, type Decoding, decompress } from './compression.ts'

export interface UnpackLineOptions {
  /** Bodies in line, over all connections. */
  readonly maxWaiting: number
  readonly bytesPerTurn: number
}

/** `overload`: there was no place in the line. */
export type Unpacked = Uint8Array<ArrayBuffer> | CompressionError | 'overload'

/** A body in line. */
export interface Waiting {
  /** Leaves the line; nothing is called. Harmless when its turn has come. */
  cancel(): void
}

interface Entry extends Waiting {
  readonly encoding: Decoding
  readonly bytes: Uint8Array
  readonly maxBytes: number
  readonly done: (result: Unpacked) => void
}

export class UnpackLine {
  readonly #options: UnpackLineOptions
  /** Connections with bodies in line; the first is the next. */
  readonly #lines = new Map<object, Entry[]>()
  #waiting = 0
  #spent = 0
  #turnDue = false

  constructor(options: UnpackLineOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting
  }

  /** `done` is called once: before this returns, where undefined is returned; else later, unless cancelled. */
  unpack(
    connection: object,
    encoding: Decoding,
    bytes: Uint8Array,
    maxBytes: number,
    done: (result: Unpacked) => void,
  ): Waiting | undefined {
    if (this.#waiting === 0 && this.#spent < this.#options.bytesPerTurn) {
      this.#turnIsDue()
      done(this.#run(encoding, bytes, maxBytes))
      return undefined
    }
    if (this.#waiting >= this.#options.maxWaiting && !this.#makeRoom(connection)) {
      done('overload')
      return undefined
    }
    const entry: Entry = { encoding, bytes, maxBytes, done, cancel: () => this.#leave(connection, entry) }
    const line = this.#lines.get(connection)
    if (line === undefined) this.#lines.set(connection, [entry])
    else line.push(entry)
    this.#waiting++
    this.#turnIsDue()
    return entry
  }

  #run(encoding: Decoding, bytes: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> | CompressionError {
    try {
      const unpacked = decompress(encoding, bytes, maxBytes)
      this.#spent += unpacked.length
      return unpacked
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error
      this.#spent += error.reason === 'too_large' ? maxBytes : bytes.length
      return error
    }
  }

  #turnIsDue(): void {
    if (this.#turnDue) return
    this.#turnDue = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#turnDue = false
    this.#spent = 0
    try {
      while (this.#waiting > 0 && this.#spent < this.#options.bytesPerTurn) this.#next()
    } finally {
      if (this.#waiting > 0 || this.#spent > 0) this.#turnIsDue()
    }
  }

  #next(): void {
    for (const [connection, line] of this.#lines) {
      const entry = line.shift()!
      this.#waiting--
      this.#lines.delete(connection)
      if (line.length > 0) this.#lines.set(connection, line) // behind the others
      entry.done(this.#run(entry.encoding, entry.bytes, entry.maxBytes))
      return
    }
  }

  /** Sends away the last in the longest line; false when that is the asker's own. */
  #makeRoom(asker: object): boolean {
    let longest: Entry[] | undefined
    const own = (this.#lines.get(asker)?.length ?? 0) + 1
    for (const line of this.#lines.values()) if (line.length > (longest?.length ?? own)) longest = line
    if (longest === undefined) return false
    const last = longest.at(-1)!
    last.cancel()
    last.done('overload')
    return true
  }

  #leave(connection: object, entry: Entry): void {
    const line = this.#lines.get(connection)
    const at = line?.indexOf(entry) ?? -1
    if (at < 0) return
    line!.splice(at, 1)
    this.#waiting--
    if (line!.length === 0) this.#lines.delete(connection)
  }
}
