// One stream of a connection as a call sees it, whichever engine moves its bytes.

import type { HeaderList } from '../http2/hpack.ts'

export interface CallHead {
  readonly method: string | undefined
  readonly path: string | undefined
  /** The value of a header by its lower-case name. */
  find(name: string): string | undefined
  /** See GrpcCall. */
  metadata(): Map<string, string[]>
}

export interface Wire {
  /** There is still somebody to hear an answer. */
  readonly open: boolean
  /** Answers with OK: headers, the framed message, trailers. `encoding` is how the message is packed, if it is. */
  answer(encoding: string | undefined, framed: Uint8Array): void
  /** Answers with headers alone; what the client still sends comes to onData and is thrown away there. */
  refuse(headers: HeaderList): void
  /** Ends the stream although the client still sends. What was written of an answer goes out first. */
  stopReading(): void
  /** Ends the stream: the time for what is left of it is over. */
  close(): void
}

/** How an engine tells a call of its stream. */
export interface WireListener {
  /** Bytes are valid during the call only. */
  onData(bytes: Uint8Array, from: number, to: number): void
  onEnd(): void
  onClosed(): void
}
