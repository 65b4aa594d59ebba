// The other side of a connection in the fuzz targets of HTTP/2: a socket without a network, and the peer that never stops.

import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FrameReader, LARGEST_MAX_FRAME_BYTES, payloadFrame } from '../../src/net/http2/frame.ts'
import { corpus } from './harness.ts'

/** What is written is taken at once and kept, or never taken. */
export class MemorySocket extends Duplex {
  readonly chunks: Uint8Array[] = []
  written = 0
  bytesRead = 0
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 1
  readonly #reads: boolean

  constructor(reads = true) {
    super()
    this.#reads = reads
  }

  override _read(): void {}

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    this.written += bytes.length
    if (!this.#reads) return
    this.chunks.push(new Uint8Array(bytes))
    done()
  }

  destroySoon(): void {
    this.destroy()
  }
}

/** A connection whose peer reads nothing. */
export interface Unread {
  receive(chunk: Uint8Array): void
  isOver(): boolean
  end(): void
}

/** More than any frame may make a connection hold: unread answers of 4 MiB, and what the heap moves on its own. */
const MAX_HELD_BYTES = 7 * 1024 * 1024
/** Of each frame, unless the connection ends before. */
const FED_BYTES = 2 ** 20

/** Repeats each frame of the corpus, one in a connection. */
export function assertHoldsLittle(name: string, open: () => Unread): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heldBytes = (): number => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const frames = framesOf(name)
  assert.ok(frames.size > 20)
  for (const [what, frame] of frames) {
    const unread = open()
    const chunk = Buffer.concat(new Array<Uint8Array>(Math.ceil(65_536 / frame.length)).fill(frame))
    const before = heldBytes()
    for (let fed = 0; fed < FED_BYTES && !unread.isOver(); fed += chunk.length) unread.receive(chunk)
    const held = heldBytes() - before
    assert.ok(held < MAX_HELD_BYTES, `${held} bytes are held after many of ${what}`)
    unread.end()
  }
}

/** Those that begin alike count as one. */
function framesOf(name: string): Map<string, Uint8Array> {
  const frames = new Map<string, Uint8Array>()
  for (const seed of corpus(name))
    new FrameReader((type, flags, id, bytes, from, to) => {
      const frame = payloadFrame(type, flags, id, bytes.subarray(from, to))
      frames.set(frame.toString('hex', 0, 64), frame)
    }, LARGEST_MAX_FRAME_BYTES).push(seed)
  return frames
}
