// What a server says of itself at the beginning of a connection, and what its owner wants to hear of it.

import { DEFAULT_WINDOW_BYTES, FRAME, numberFrame, SETTING, settingsFrame } from './frame.ts'
import type { RequestHead } from './request-head.ts'
import type { ServerStream } from './server-stream.ts'

export interface ServerSessionSettings {
  readonly maxStreams: number
  readonly maxHeaderListBytes: number
  /** Fields of one request, pseudo-headers too. */
  readonly maxHeaders: number
  readonly maxFrameBytes: number
  readonly streamWindowBytes: number
  readonly connectionWindowBytes: number
}

/** Frames that bring no request; what they cost is for the owner to bound. */
export type ControlFrame = 'SETTINGS' | 'PING' | 'RST_STREAM' | 'other'

/** What the owner of a connection wants to know. */
export interface ServerSessionOwner {
  /** Sets `stream.listener` before it answers. */
  onRequest(stream: ServerStream, head: RequestHead): void
  /** The client's SETTINGS have come. */
  onOpen(): void
  onControlFrame(frame: ControlFrame): void
  onPong(): void
  /** A request that breaks the rules of HTTP; its stream was reset. */
  onMalformed(detail: string): void
  /** The client broke a rule that ends the connection. */
  onFailed(error: Error): void
  /** The last call; every stream has closed before it. */
  onClosed(): void
}

/** What every connection of a server hears first. */
export function greeting(settings: ServerSessionSettings): Buffer {
  return Buffer.concat([
    settingsFrame([
      [SETTING.MAX_CONCURRENT_STREAMS, settings.maxStreams],
      [SETTING.INITIAL_WINDOW_SIZE, settings.streamWindowBytes],
      [SETTING.MAX_FRAME_SIZE, settings.maxFrameBytes],
      [SETTING.MAX_HEADER_LIST_SIZE, settings.maxHeaderListBytes],
    ]),
    numberFrame(FRAME.WINDOW_UPDATE, 0, settings.connectionWindowBytes - DEFAULT_WINDOW_BYTES),
  ])
}
