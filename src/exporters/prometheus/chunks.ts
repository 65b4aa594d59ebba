// An exposition on its way out, gathered into chunks that are handed on one by one. Each is used again when whoever reads it is
// through with it: memory that is new costs more than what is written into it.

import { writeVarint } from '../../wire/varint.ts'

const CHUNK_BYTES = 128 * 1024
/** What a pool keeps for the next scrape. */
const KEPT_CHUNKS_MAX = 16

export class Chunk {
  readonly bytes: Buffer
  length = 0

  constructor(bytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(bytes)
  }
}

/** Chunks of one exporter that nobody reads or writes. */
export class ChunkPool {
  readonly #free: Chunk[] = []

  /** One that has room for so many bytes. */
  take(bytes = CHUNK_BYTES): Chunk {
    if (bytes > CHUNK_BYTES) return new Chunk(bytes)
    const chunk = this.#free.pop() ?? new Chunk(CHUNK_BYTES)
    chunk.length = 0
    return chunk
  }

  give(chunk: Chunk): void {
    if (chunk.bytes.length === CHUNK_BYTES && this.#free.length < KEPT_CHUNKS_MAX) this.#free.push(chunk)
  }
}

export class Chunks {
  readonly #pool: ChunkPool
  #chunk: Chunk
  /** Where room() has made room: the caller writes at `at` and moves it. */
  bytes: Buffer
  at = 0
  #fullBytes = 0
  #takenBytes = 0
  readonly #full: Chunk[] = []

  constructor(pool: ChunkPool) {
    this.#pool = pool
    this.#chunk = pool.take()
    this.bytes = this.#chunk.bytes
  }

  /** Whether takeFull() has something to give. */
  get hasFull(): boolean {
    return this.#full.length > 0
  }

  /** Bytes that it holds. */
  get length(): number {
    return this.#fullBytes + this.at
  }

  /** Bytes that it holds, and those that have been taken. */
  get written(): number {
    return this.#takenBytes + this.#fullBytes + this.at
  }

  /** What is full by now; ownership goes over. */
  takeFull(): Chunk[] {
    this.#takenBytes += this.#fullBytes
    this.#fullBytes = 0
    return this.#full.splice(0)
  }

  /** What is begun counts as full. */
  closeLast(): void {
    if (this.at > 0) this.#turn(0)
  }

  /** Back to the pool with what has not been handed on; it is not written any more. */
  drop(): void {
    for (const chunk of this.takeFull()) this.#pool.give(chunk)
    this.#pool.give(this.#chunk)
  }

  /** Makes room for `bytes` behind `at`. */
  room(bytes: number): void {
    if (this.at + bytes > this.bytes.length) this.#turn(bytes)
  }

  /** In UTF-8. */
  text(text: string): void {
    this.room(text.length * 3)
    this.at += this.bytes.write(text, this.at)
  }

  byte(value: number): void {
    this.room(1)
    this.bytes[this.at++] = value
  }

  varint(value: number): void {
    this.room(10)
    this.at = writeVarint(this.bytes, this.at, value)
  }

  copy(source: Uint8Array, from: number, to: number): void {
    this.room(to - from)
    const { bytes } = this
    let { at } = this
    if (to - from > 48) bytes.set(source.subarray(from, to), at)
    else for (let i = from; i < to; i++) bytes[at++] = source[i]!
    this.at += to - from
  }

  /** Hands all that it holds to `other`, and is empty. */
  moveTo(other: Chunks): void {
    if (this.#full.length === 0) {
      other.copy(this.bytes, 0, this.at)
      this.at = 0
      return
    }
    this.closeLast()
    other.closeLast()
    for (const chunk of this.takeFull()) other.#add(chunk)
  }

  #turn(bytes: number): void {
    const next = this.#pool.take(Math.max(bytes, CHUNK_BYTES))
    if (this.at === 0) this.#pool.give(this.#chunk)
    else {
      this.#chunk.length = this.at
      this.#add(this.#chunk)
    }
    this.#chunk = next
    this.bytes = next.bytes
    this.at = 0
  }

  #add(chunk: Chunk): void {
    this.#full.push(chunk)
    this.#fullBytes += chunk.length
  }
}
