// A sender of the bench, in a process of its own: sends numbered requests and remembers which were answered OK.

import { gzipSync, zstdCompressSync } from 'node:zlib'
import { GrpcLoad } from './load-grpc.ts'
import { HttpLoad } from './load-http.ts'
import { NumberSet } from './numbered.ts'
import { payloads } from './payloads.ts'

export type Encoding = 'none' | 'gzip' | 'zstd'
export type Protocol = 'grpc' | 'http'

export interface LoadOptions {
  readonly protocol: Protocol
  readonly port: number
  readonly spansPerRequest: number
  readonly encoding: Encoding
  readonly inFlight: number
  /** Tells the numbers of several senders apart. */
  readonly sender: number
}

export type ToLoad = { readonly kind: 'open'; readonly options: LoadOptions } | ({ readonly kind: 'run' } & RunOptions)

/** Sends for that long, or that many requests; then waits for the answers and reports. */
export interface RunOptions {
  readonly forMs?: number
  readonly requests?: number
  /** As fast as the answers allow by default. */
  readonly requestsPerSecond?: number
}

export interface LoadReport {
  readonly kind: 'report'
  /** Of this run. */
  readonly ok: number
  readonly refused: number
  /** Without an answer: the connection was lost. */
  readonly failed: number
  readonly wallMs: number
  /** From sending a request to its OK, in this run: the 99th percentile. NaN without any. */
  readonly p99Ms: number
  /** Bytes of the requests answered OK, as they were sent. */
  readonly okBytes: number
  /** Numbers answered OK since the process began. Only plain requests carry numbers. */
  readonly okNumbers: Uint8Array
}

export type FromLoad = { readonly kind: 'open' } | LoadReport

export interface PackedRequest {
  readonly bytes: Uint8Array
  readonly encoding: Encoding
}

/** What a connection asks and tells. */
export interface LoadEvents {
  /** The number for the next request, or -1 for none now: start() asks again. */
  next(): number
  ok(number: number): void
  refused(): void
  failed(): void
}

/** How often a paced sender looks whether the next requests are due. */
const PACE_EVERY_MS = 1

const pack = (bytes: Uint8Array, encoding: Encoding): Uint8Array =>
  encoding === 'gzip' ? gzipSync(bytes, { level: 1 }) : encoding === 'zstd' ? zstdCompressSync(bytes) : bytes

class Load implements LoadEvents {
  readonly #options: LoadOptions
  readonly #connection: GrpcLoad | HttpLoad
  readonly #requestBytes: number
  readonly #okNumbers = new NumberSet()
  /** When each request on its way was sent, by number; and how long those that were answered OK took. */
  readonly #sentMs = new Map<number, number>()
  #tookMs: number[] = []
  #nextNumber = 0
  #fromNumber = 0
  #untilNumber = 0
  #requestsPerMs = Number.POSITIVE_INFINITY
  #pacing: NodeJS.Timeout | undefined
  #untilMs = 0
  #fromMs = 0
  #pending = 0
  #ok = 0
  #refused = 0
  #failed = 0

  constructor(options: LoadOptions) {
    const { spansPerRequest: items, inFlight, encoding } = options
    const requests = payloads({ items, count: Math.min(inFlight, 16), seed: options.sender + 1 }).map((bytes) => ({
      bytes: pack(bytes, encoding),
      encoding,
    }))
    this.#options = options
    this.#requestBytes = requests.reduce((sum, { bytes }) => sum + bytes.length, 0) / requests.length
    const Connection = options.protocol === 'grpc' ? GrpcLoad : HttpLoad
    this.#connection = new Connection(requests, inFlight, options.sender, this)
  }

  open(): Promise<void> {
    return this.#connection.open(this.#options.port)
  }

  run({ forMs, requests, requestsPerSecond }: RunOptions): void {
    this.#ok = this.#refused = this.#failed = 0
    this.#tookMs = []
    this.#sentMs.clear()
    this.#fromMs = performance.now()
    this.#untilMs = this.#fromMs + (forMs ?? Number.POSITIVE_INFINITY)
    this.#fromNumber = this.#nextNumber
    this.#untilNumber = this.#nextNumber + (requests ?? Number.POSITIVE_INFINITY)
    this.#requestsPerMs = (requestsPerSecond ?? Number.POSITIVE_INFINITY) / 1000
    if (requestsPerSecond !== undefined) this.#pacing = setInterval(() => this.#connection.start(), PACE_EVERY_MS)
    this.#connection.start()
  }

  next(): number {
    const now = performance.now()
    if (this.#nextNumber >= this.#untilNumber || now >= this.#untilMs) {
      if (this.#pending === 0) this.#report()
      return -1
    }
    if (this.#nextNumber - this.#fromNumber >= (now - this.#fromMs) * this.#requestsPerMs) return -1
    this.#pending++
    this.#sentMs.set(this.#nextNumber, now)
    return this.#nextNumber++
  }

  ok(number: number): void {
    this.#pending--
    this.#ok++
    this.#okNumbers.add(number)
    this.#tookMs.push(performance.now() - (this.#sentMs.get(number) ?? Number.NaN))
    this.#sentMs.delete(number)
  }

  refused(): void {
    this.#pending--
    this.#refused++
  }

  failed(): void {
    this.#pending--
    this.#failed++
    if (this.#pending === 0) this.#report()
  }

  #report(): void {
    if (this.#untilNumber === 0) return
    this.#untilNumber = 0
    clearInterval(this.#pacing)
    const { encoding } = this.#options
    send({
      kind: 'report',
      ok: this.#ok,
      refused: this.#refused,
      failed: this.#failed,
      wallMs: performance.now() - this.#fromMs,
      p99Ms: percentile(this.#tookMs, 0.99),
      okBytes: this.#ok * this.#requestBytes,
      okNumbers: encoding === 'none' ? this.#okNumbers.bits : new Uint8Array(0),
    })
  }
}

function percentile(values: number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

const send = (message: FromLoad): void => void process.send!(message)
let load: Load | undefined
process.on('message', async (message: ToLoad) => {
  if (message.kind === 'open') {
    load = new Load(message.options)
    await load.open()
    send({ kind: 'open' })
  } else load?.run(message)
})
process.on('disconnect', () => process.exit(0))
