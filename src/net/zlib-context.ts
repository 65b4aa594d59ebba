// A context of zlib or zstd that stays: one call after the other goes through it, each a whole body. The one-shot functions
// of node:zlib make a stream object and a context anew for every call: for a request of ten spans zstd then takes 2.6 times as
// much CPU to pack and 4.6 times to unpack, gzip 1.3 and 1.8 times (docs/decisions/compression.md).
//
// node:zlib has no public way to use a context synchronously more than once. This one takes what is below its stream
// objects, as npm's own tar does; where that does not look as it is known here, the one-shot function does the work.
//
// After bytes that could not be taken to their end a context is closed, and the next call makes another: nothing of one
// sender's body is left for the next.

import zlib, { constants } from 'node:zlib'
import { isOneZstdFrame } from './zstd-frame.ts'

/** Options that both the stream object and the one-shot function take. */
export interface ZlibOptions {
  readonly level?: number
  readonly params?: Readonly<Record<number, number>>
}

/** One direction of one format in node:zlib. */
export interface Codec {
  readonly create: (options: ZlibOptions) => unknown
  readonly once: (bytes: Uint8Array, options: ZlibOptions & { chunkSize: number; maxOutputLength?: number }) => Buffer
  /** The flush value that says: this was all. */
  readonly finish: number
  /** zstd begins a new frame by itself; its reset would forget the level and the bound of the window. */
  readonly resets: boolean
  /**
   * Bodies for a context without a reset: once it has come to an end, node:zlib takes a later end for granted, and what is
   * cut or follows for nothing. Others are rare, and go through the one-shot function.
   */
  readonly isWhole?: (bytes: Uint8Array) => boolean
}

export const UNPACK: Record<'gzip' | 'zlib' | 'zstd', Codec> = {
  gzip: { create: zlib.createGunzip, once: zlib.gunzipSync, finish: constants.Z_FINISH, resets: true },
  zlib: { create: zlib.createInflate, once: zlib.inflateSync, finish: constants.Z_FINISH, resets: true },
  zstd: {
    create: zlib.createZstdDecompress,
    once: zlib.zstdDecompressSync,
    finish: constants.ZSTD_e_end,
    resets: false,
    isWhole: isOneZstdFrame,
  },
}

export const PACK: Record<'gzip' | 'zlib' | 'zstd', Codec> = {
  gzip: { create: zlib.createGzip, once: zlib.gzipSync, finish: constants.Z_FINISH, resets: true },
  zlib: { create: zlib.createDeflate, once: zlib.deflateSync, finish: constants.Z_FINISH, resets: true },
  zstd: { create: zlib.createZstdCompress, once: zlib.zstdCompressSync, finish: constants.ZSTD_e_end, resets: false },
}

/** What comes out is longer than allowed. */
export class TooLong extends Error {}

/** The native side of a stream object, and where it says what it left: room in the output, bytes of the input. */
interface Engine {
  readonly _handle: {
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputLength: number,
      output: Uint8Array,
      outputAt: number,
      outputLength: number,
    ): void
    reset(): void
    close(): void
    onerror: (message: string) => void
  }
  readonly _writeState: Uint32Array
}

const isEngine = (object: unknown): object is Engine => {
  const { _handle: handle, _writeState: state } = object as Partial<Engine>
  return (
    state instanceof Uint32Array &&
    (['writeSync', 'reset', 'close', 'onerror'] as const).every((name) => typeof handle?.[name] === 'function')
  )
}

const MIN_ROOM_BYTES = 1024

export class ZlibContext {
  readonly #codec: Codec
  readonly #options: ZlibOptions
  #engine: Engine | undefined
  #failure: string | undefined

  constructor(codec: Codec, options: ZlibOptions) {
    this.#codec = codec
    this.#options = options
  }

  /**
   * Takes all of `bytes`, a whole body. What comes out stands from the beginning of `room`, or, if that is too small, of
   * a buffer of its own. Throws TooLong beyond `maxBytes`, and Errors with the library's words.
   */
  run(bytes: Uint8Array, room: Uint8Array<ArrayBuffer>, maxBytes: number): Uint8Array<ArrayBuffer> {
    const { finish, resets, isWhole } = this.#codec
    this.#engine ??= this.#open()
    if (this.#engine === undefined || isWhole?.(bytes) === false) return this.#once(bytes, room.length, maxBytes)
    const { _handle: handle, _writeState: state } = this.#engine
    if (resets) handle.reset()
    let out = room
    let written = 0
    let left = bytes.length
    while (true) {
      handle.writeSync(finish, bytes, bytes.length - left, left, out, written, out.length - written)
      if (this.#failure !== undefined) throw new Error(this.#close())
      left = state[1]!
      written = out.length - state[0]!
      if (written > maxBytes) throw new TooLong(this.#close())
      // It ends where room is left.
      if (written < out.length) break
      out = larger(out, maxBytes)
    }
    // Something stands behind the end.
    if (left > 0) this.#close()
    return new Uint8Array(out.buffer, 0, written)
  }

  #open(): Engine | undefined {
    const engine = this.#codec.create(this.#options)
    if (!isEngine(engine)) return undefined
    engine._handle.onerror = (message) => {
      this.#failure = message
    }
    return engine
  }

  /** Returns why. */
  #close(): string | undefined {
    const failure = this.#failure
    this.#failure = undefined
    this.#engine?._handle.close()
    this.#engine = undefined
    return failure
  }

  #once(bytes: Uint8Array, room: number, maxBytes: number): Uint8Array<ArrayBuffer> {
    const bound = maxBytes === Number.POSITIVE_INFINITY ? {} : { maxOutputLength: Math.max(1, maxBytes) }
    try {
      const chunkSize = Math.max(MIN_ROOM_BYTES, room)
      return new Uint8Array(this.#codec.once(bytes, { ...this.#options, ...bound, chunkSize }))
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw new TooLong()
      throw error
    }
  }
}

/** Uninitialized memory of its own: never a part of Node's pool. */
export const ownBytes = (length: number): Uint8Array<ArrayBuffer> => {
  const { buffer } = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer)
}

/** Twice the room, and no more than shows that the limit is passed. */
function larger(out: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  const grown = ownBytes(Math.min(Math.max(2 * out.length, MIN_ROOM_BYTES), maxBytes + 1))
  grown.set(out)
  return grown
}
