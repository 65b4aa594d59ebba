// Every bound of the doors, with its name and its default. A key in the configuration goes before these; they stand
// where the Collector has no bound or where its default is "none" (see "Where it is weak" in the notes on a running one).

const KiB = 1024
const MiB = 1024 * KiB

export const LIMITS = {
  /** Connections that one door keeps open; one more is closed at once. */
  maxConnections: 4096,
  /** Bytes of requests that were received, wholly or in part, and not yet answered, over the whole door. */
  inFlightBytes: 64 * MiB,
  /**
   * The part of them on one connection that belongs to requests which are still arriving, so that half-sent requests of
   * one client leave room for others: ten requests of 4 MiB at once, which a Collector sends, and some more.
   */
  arrivingBytesPerConnection: 48 * MiB,
  /** What a request counts among them beside its bytes: its headers, and what we remember of it. */
  requestBytes: 4 * KiB,
  /** Parallel calls on one HTTP/2 connection; announced to the client, who waits with more. */
  streamsPerConnection: 256,
  /** HTTP/2 header list, HTTP/1 header block. */
  headerBytes: 64 * KiB,
  /** Memory that node:http2 may hold for one connection before it refuses new streams. */
  sessionBytes: 32 * MiB,
  /** gRPC message, packed and unpacked: gRPC's own default. */
  grpcMessageBytes: 4 * MiB,
  /** HTTP body, packed and unpacked: the Collector's default. */
  httpBodyBytes: 20 * MiB,
  /** From connecting, or from a request's first byte, to the end of its headers. */
  headersMs: 30_000,
  /** Without a byte of a request's body that has begun. */
  bodySilenceMs: 30_000,
  /** From a request's first byte to its last. */
  requestMs: 300_000,
  /** An HTTP/1 connection between two requests. */
  idleMs: 300_000,
  /** HTTP/1: the rest of a body whose request is already answered is read and thrown away up to here. */
  drainBytes: 32 * MiB,
  /** The same in time. */
  drainMs: 30_000,
  /** The same for a gRPC call, where only the stream has to end. */
  callDrainBytes: 256 * KiB,
} as const
