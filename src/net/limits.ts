// Every bound of the doors: its name, its value, what happens at it, and the key of the configuration that goes before it.
// They stand where the Collector has no bound or where its default is "none" (see "Where it is weak" in the notes on a
// running one). docs/reference/limits.md is made from here.
//
// Code reads LIMITS.streamsPerConnection; a door takes `Limits`, so that tests hand in small ones. Where several shards
// listen on one port, each takes `limitsOfShare`.

const KiB = 1024
const MiB = 1024 * KiB

export interface Limit {
  readonly value: number
  readonly unit: 'count' | 'bytes' | 'ms' | 'per second'
  readonly doc: string
  /** What happens to whoever reaches it. */
  readonly beyond: string
  /** The key that goes before it, where there is one. */
  readonly key?: string
  /** Bounds memory: of several shards that listen on one port each has a part. The others hold in each by itself. */
  readonly divided?: true
}

const count = (value: number, words: Omit<Limit, 'value' | 'unit'>): Limit => ({ value, unit: 'count', ...words })
const bytes = (value: number, words: Omit<Limit, 'value' | 'unit'>): Limit => ({ value, unit: 'bytes', ...words })
const ms = (value: number, words: Omit<Limit, 'value' | 'unit'>): Limit => ({ value, unit: 'ms', ...words })
const rate = (value: number, words: Omit<Limit, 'value' | 'unit'>): Limit => ({ value, unit: 'per second', ...words })

const CLOSED = 'The new connection is closed at once'
const ENDED = 'The connection ends (HTTP/2: GOAWAY with ENHANCE_YOUR_CALM)'
const LATER = 'UNAVAILABLE, 503: may be sent again'

/** In the order of a connection's life. */
export const DECLARED_LIMITS = {
  maxConnections: count(4096, {
    doc: 'Connections that one door keeps open.',
    beyond: `${CLOSED}, \`too_many_connections\`.`,
    divided: true,
  }),
  connectionsPerAddress: count(1024, {
    doc: 'Of those, from one client address: a quarter, so that one client leaves room for others.',
    beyond: `${CLOSED}, \`too_many_connections\`.`,
    divided: true,
  }),
  newConnectionsBurst: count(2000, {
    doc: 'New connections that one address may open at once.',
    beyond: `${CLOSED}, \`connection_rate\`.`,
  }),
  newConnectionsPerSecond: rate(500, {
    doc: 'How fast an address gets those back.',
    beyond: `${CLOSED}, \`connection_rate\`.`,
  }),
  rememberedAddresses: count(8192, {
    doc: 'Addresses without a connection whose rate is still remembered.',
    beyond: 'The one that left first is forgotten, and has its whole burst again.',
  }),
  firstByteMs: ms(30_000, {
    doc: 'From connecting to the first byte (with TLS, of the handshake).',
    beyond: 'The connection is closed, `timeout`.',
  }),
  headersMs: ms(30_000, {
    doc: "From connecting, or from a request's first byte, to the end of its headers; also the TLS handshake and the beginning of HTTP/2.",
    beyond: '408 and closed; the HTTP/2 connection ends. `timeout`.',
    key: 'read_header_timeout',
  }),
  headerBytes: bytes(64 * KiB, {
    doc: 'HTTP/1 header block, HTTP/2 header list.',
    beyond: '431 and closed; the HTTP/2 stream is reset.',
  }),
  headersPerRequest: count(128, {
    doc: 'Header fields of one request.',
    beyond: '431 and closed; the HTTP/2 stream is reset.',
  }),
  streamsPerConnection: count(256, {
    doc: 'Parallel requests on one connection; announced over HTTP/2.',
    beyond: 'HTTP/2: the client waits, or its stream is refused. HTTP/1 (pipelining): the connection ends, `flood`.',
    key: 'max_concurrent_streams',
  }),
  resetsBurst: count(1000, {
    doc: 'HTTP/2 requests that end without their answer, by RST_STREAM or otherwise.',
    beyond: `${ENDED}, \`flood\`.`,
  }),
  resetsPerSecond: rate(100, {
    doc: 'How fast a connection gets those back.',
    beyond: `${ENDED}, \`flood\`.`,
  }),
  controlFramesBurst: count(200, {
    doc: 'SETTINGS frames on one connection; over HTTP also PING. For gRPC see `keepalive.enforcement_policy`.',
    beyond: `${ENDED}, \`flood\`.`,
  }),
  controlFramesPerSecond: rate(20, {
    doc: 'How fast a connection gets those back.',
    beyond: `${ENDED}, \`flood\`.`,
  }),
  overheadBytes: bytes(1 * MiB, {
    doc: 'HTTP/2 bytes that are neither body nor the headers of a request (8 KiB each): WINDOW_UPDATE, PRIORITY, unknown frames, padding, headers that were refused.',
    beyond: `${ENDED}, \`flood\`.`,
  }),
  overheadBytesPerSecond: rate(64 * KiB, {
    doc: 'How fast a connection gets those back.',
    beyond: `${ENDED}, \`flood\`.`,
  }),
  smallPieces: count(4096, {
    doc: 'Pieces of one body (DATA frames, chunks) that hold fewer than 16 bytes on average.',
    beyond: `${ENDED}, \`flood\`.`,
  }),
  sessionBytes: bytes(32 * MiB, {
    doc: 'Memory that node:http2 may hold for one connection.',
    beyond: 'New streams are refused.',
  }),
  bodySilenceMs: ms(30_000, {
    doc: "Without a byte of a request's body that has begun; and without taking any of the answer.",
    beyond: 'DEADLINE_EXCEEDED, 400, `timeout`; a client that does not read is cut off.',
  }),
  requestMs: ms(300_000, {
    doc: "From a request's first byte to its last.",
    beyond: 'DEADLINE_EXCEEDED, 400 or 408, `timeout`.',
    key: 'read_timeout',
  }),
  idleMs: ms(300_000, {
    doc: 'An HTTP connection between two requests. gRPC connections may stay idle unless the key says otherwise.',
    beyond: 'The connection is closed.',
    key: 'idle_timeout',
  }),
  grpcMessageBytes: bytes(4 * MiB, {
    doc: "gRPC message, as it arrives and again unpacked: gRPC's own default.",
    beyond: 'RESOURCE_EXHAUSTED, `too_large`.',
    key: 'max_recv_msg_size_mib',
  }),
  httpBodyBytes: bytes(20 * MiB, {
    doc: "HTTP body, as it arrives and again unpacked: the Collector's default.",
    beyond: '400, `too_large`.',
    key: 'max_request_body_size',
  }),
  inFlightBytes: bytes(64 * MiB, {
    doc: 'Bytes of requests that were received, wholly or in part, and not yet answered, over all doors of one receiver; at least two of the largest requests (a share: one), each with `requestBytes`.',
    beyond: `${LATER}, \`overload\`. Half-sent requests of the connection with the most of them go first.`,
    divided: true,
  }),
  arrivingBytesPerConnection: bytes(48 * MiB, {
    doc: 'Of those, on one connection and still arriving, so that half-sent requests of one client leave room for others: ten requests of 4 MiB at once, which a Collector sends, and some more.',
    beyond: `${LATER}, \`overload\`.`,
    divided: true,
  }),
  requestBytes: bytes(4 * KiB, {
    doc: 'What a request counts among the bytes in flight beside its body: its headers, and what we remember of it.',
    beyond: 'See `inFlightBytes`.',
  }),
  unpackingBytesPerTurn: bytes(4 * MiB, {
    doc: 'Unpacked in one turn of the event loop. One body is unpacked at a time; beyond this the others wait, and what else has arrived goes first.',
    beyond: 'The body waits in line, connections in turn.',
  }),
  unpackingWaiting: count(512, {
    doc: 'Bodies that wait to be unpacked, over all doors of one receiver.',
    beyond: `${LATER}, \`overload\`. The connection with the most of them gives way.`,
  }),
  drainBytes: bytes(32 * MiB, {
    doc: 'HTTP/1: the rest of a body whose request is already answered is read and thrown away up to here.',
    beyond: 'The connection is cut off.',
  }),
  drainMs: ms(30_000, { doc: 'The same in time.', beyond: 'The connection is cut off.' }),
  callDrainBytes: bytes(256 * KiB, {
    doc: 'The same for a gRPC call, where only the stream has to end.',
    beyond: 'The stream is reset.',
  }),
} as const satisfies Readonly<Record<string, Limit>>

export type Limits = { readonly [name in keyof typeof DECLARED_LIMITS]: number }

export const LIMITS: Limits = Object.freeze(
  Object.fromEntries(Object.entries(DECLARED_LIMITS).map(([name, { value }]) => [name, value])),
) as Limits

/** What each of so many shards has that listen on one port. */
export const limitsOfShare = (shards: number): Limits =>
  Object.fromEntries(
    Object.entries<Limit>(DECLARED_LIMITS).map(([name, { value, divided }]) => [
      name,
      divided ? Math.ceil(value / shards) : value,
    ]),
  ) as Limits

/** The defaults, with some of them replaced: for tests. */
export const limitsWith = (changed: Partial<Limits> = {}): Limits => ({ ...LIMITS, ...changed })
