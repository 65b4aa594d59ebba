// Watches one HTTP/2 connection for what costs us work and brings no request: resets, SETTINGS, PING, and
// bytes that are neither body nor headers. nghttp2 has bounds of its own (CONTINUATION, empty DATA, unread answers);
// these stand beside them. Frames that node:http2 does not tell of are seen as bytes: a look now and then compares what
// the socket has read with what the requests account for.
//
//   read by the socket = bodies + 9 a piece + at most 8 KiB a request + the rest: a bucket, then the end
//
// A header block that never ends is seen in the same way: bytes came, no request is open, and nothing came of them.

import { constants as H2, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Limits } from '../limits.ts'
import { endSocket } from '../linger.ts'
import { TokenBucket } from '../token-bucket.ts'
import { FRAME_HEAD_BYTES } from './frame.ts'

/** What a request's own frames may take beside its body: twice the headers that proxies commonly allow. */
const REQUEST_OVERHEAD_BYTES = 8 * 1024
/** What an idle client may send and nothing comes of it: WINDOW_UPDATE for its last answers. */
const IDLE_OVERHEAD_BYTES = 256

export interface FloodWatchOptions {
  readonly limits: Limits
  /** PING is counted too; without it somebody else does. */
  readonly countPings: boolean
  /** Called once at most; the connection has ended. */
  onFlood(reason: 'flood' | 'timeout', detail: string): void
}

/** The connection. */
export interface Watched {
  readonly bytesRead: number
  readonly destroyed: boolean
  /** What waits until the client reads. */
  readonly unsentBytes: number
  /** GOAWAY with ENHANCE_YOUR_CALM and these words, unless it is destroyed, and the end of the socket. */
  calmDown(words: string): void
}

export class FloodWatch {
  readonly #watched: Watched
  readonly #options: FloodWatchOptions
  readonly #controlFrames: TokenBucket
  readonly #resets: TokenBucket
  readonly #overhead: TokenBucket
  #ended = false
  #acknowledged = false
  #greeted = false
  readonly #openedAt: number
  #open = 0
  #requests = 0
  #events = 0
  #bodyBytes = 0
  #bodyPieces = 0
  /** As the last look found them. */
  #bytesSeen = 0
  #bodyBytesSeen = 0
  #bodyPiecesSeen = 0
  #requestsSeen = 0
  #eventsSeen = 0
  /** Without a request, and since something last came of it. */
  #idleBytes = 0
  #idleBytesSince = Infinity
  #unsentBytes = 0
  #unsentSince: number

  constructor(watched: Watched, options: FloodWatchOptions, now: number) {
    const { limits } = options
    this.#watched = watched
    this.#options = options
    this.#openedAt = now
    this.#unsentSince = now
    this.#controlFrames = new TokenBucket(limits.controlFramesBurst, limits.controlFramesPerSecond, now)
    this.#resets = new TokenBucket(limits.resetsBurst, limits.resetsPerSecond, now)
    this.#overhead = new TokenBucket(limits.overheadBytes, limits.overheadBytesPerSecond, now)
  }

  /** The client's first SETTINGS have come. */
  greeted(): void {
    this.#greeted = true
  }

  /** It has acknowledged ours. */
  acknowledged(): void {
    this.#acknowledged = true
  }

  onSettings(): void {
    this.#onControlFrame('SETTINGS')
  }

  onPing(): void {
    this.#events++
    if (this.#options.countPings) this.#onControlFrame('PING')
  }

  requestBegins(): void {
    this.#open++
    this.#requests++
  }

  /** Every request that began ends here, once. */
  requestEnds(answered: boolean): void {
    this.#open--
    this.#events++
    if (!answered && !this.#resets.tryTake(performance.now())) this.end('flood', 'too many requests were reset')
  }

  /**
   * nghttp2 holds our bound on the header list against a client from when it has acknowledged our SETTINGS, and one that
   * never does would have none.
   */
  areHeadersTooLarge(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
    if (this.#acknowledged) return false
    let bytes = 0
    // RFC 9113 10.5.1: the octets of name and value, and 32 for each field.
    for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0) + 32
    return bytes > this.#options.limits.headerBytes
  }

  /** A piece of some request's body has come, wanted or not. */
  bodyPiece(bytes: number): void {
    this.#bodyBytes += bytes
    this.#bodyPieces++
  }

  #onControlFrame(name: string): void {
    this.#events++
    if (!this.#controlFrames.tryTake(performance.now())) this.end('flood', `too many ${name} frames`)
  }

  sweep(now: number): void {
    const { limits } = this.#options
    if (this.#watched.destroyed) {
      // A session that ended of itself leaves the socket of a client that does not read open.
      if (!this.#ended) this.#watched.calmDown('')
      this.#ended = true
      return
    }
    const unsent = this.#watched.unsentBytes
    if (unsent === 0 || unsent !== this.#unsentBytes) {
      this.#unsentBytes = unsent
      this.#unsentSince = now
    } else if (now - this.#unsentSince > limits.bodySilenceMs) {
      this.end('timeout', 'the client does not read its answers')
      return
    }
    if (!this.#greeted && now - this.#openedAt > limits.headersMs) {
      this.end('timeout', 'the connection never spoke HTTP/2')
      return
    }
    const read = this.#watched.bytesRead
    const bytes = read - this.#bytesSeen
    const body = this.#bodyBytes - this.#bodyBytesSeen
    const pieces = this.#bodyPieces - this.#bodyPiecesSeen
    const requests = this.#requests - this.#requestsSeen
    const quiet = this.#open === 0 && requests === 0 && body === 0 && this.#events === this.#eventsSeen
    this.#bytesSeen = read
    this.#bodyBytesSeen = this.#bodyBytes
    this.#bodyPiecesSeen = this.#bodyPieces
    this.#requestsSeen = this.#requests
    this.#eventsSeen = this.#events
    const overhead = bytes - body - pieces * FRAME_HEAD_BYTES - requests * REQUEST_OVERHEAD_BYTES
    if (overhead > 0 && !this.#overhead.tryTake(now, overhead)) {
      this.end('flood', 'too many bytes that belong to no request')
      return
    }
    if (!quiet) {
      this.#idleBytes = 0
      this.#idleBytesSince = Infinity
      return
    }
    this.#idleBytes += bytes
    if (this.#idleBytes <= IDLE_OVERHEAD_BYTES) return
    if (this.#idleBytesSince === Infinity) this.#idleBytesSince = now
    else if (now - this.#idleBytesSince > limits.headersMs) this.end('timeout', 'the headers of a request do not end')
  }

  end(reason: 'flood' | 'timeout', detail: string): void {
    if (this.#ended || this.#watched.destroyed) return
    this.#ended = true
    this.#options.onFlood(reason, detail)
    this.#watched.calmDown('')
  }
}

/** A watch that node:http2 tells of its frames. `socket` is the connection's own, not the session's view of it. */
export function watchSession(
  session: ServerHttp2Session,
  socket: Socket | undefined,
  options: FloodWatchOptions,
  now: number,
): FloodWatch {
  const watched: Watched = {
    get bytesRead() {
      return socket?.bytesRead ?? 0
    },
    get destroyed() {
      return session.destroyed
    },
    get unsentBytes() {
      return unsentBytes(socket)
    },
    calmDown() {
      endSession(session)
      // The session leaves the socket of a client that does not close it open.
      if (socket !== undefined) endSocket(socket)
    },
  }
  const watch = new FloodWatch(watched, options, now)
  tellWatch(session, watch)
  session.once('remoteSettings', () => watch.greeted())
  session.on('ping', () => watch.onPing())
  return watch
}

/**
 * What a session of node:http2 has written and the kernel has not taken. The session writes past its socket, to the handle
 * below, which alone knows: while it waits there the session reads nothing either, so a client that never reads is silent.
 */
export const unsentBytes = (socket: Socket | undefined): number =>
  (socket as { _handle?: { writeQueueSize?: number } | null } | undefined)?._handle?.writeQueueSize ?? 0

/** What there is to tell beside the greeting and PING. */
export function tellWatch(session: ServerHttp2Session, watch: FloodWatch): void {
  session.on('localSettings', () => watch.acknowledged())
  session.on('remoteSettings', () => watch.onSettings())
}

/** By the session, for those who only know a request. */
const WATCH = Symbol('FloodWatch')
export const watchOf = (session: object): FloodWatch | undefined => (session as { [WATCH]?: FloodWatch })[WATCH]
export function setWatch(session: object, watch: FloodWatch): void {
  ;(session as { [WATCH]?: FloodWatch })[WATCH] = watch
}

/** GOAWAY with ENHANCE_YOUR_CALM, and the end. (A code given to destroy() would be reported as an error of ours.) */
export function endSession(session: ServerHttp2Session): void {
  if (session.destroyed) return
  session.goaway(H2.NGHTTP2_ENHANCE_YOUR_CALM)
  session.destroy()
}

/** Bounds that node:http2 and nghttp2 hold themselves; resets a little wider than ours, which know which were answered. */
export const http2Bounds = (limits: Limits) => ({
  maxSessionMemory: limits.sessionBytes / (1024 * 1024),
  maxHeaderListPairs: limits.headersPerRequest + 4, // `:method` and the like come on top
  streamResetBurst: 2 * limits.resetsBurst,
  streamResetRate: 2 * limits.resetsPerSecond,
})
