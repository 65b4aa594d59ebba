// The stream below MQTT: tcp, tls, or a WebSocket over either.

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ClientTlsOptions } from '../tls/load.ts'
import { WebSocketCodec } from './websocket.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  /** Of a WebSocket; undefined: plain. */
  readonly path: string | undefined
  /** As it was written, without a password. */
  readonly words: string
}

const SCHEMES: Readonly<Record<string, { secure: boolean; web: boolean; port: number }>> = {
  'mqtt:': { secure: false, web: false, port: 1883 },
  'tcp:': { secure: false, web: false, port: 1883 },
  'mqtts:': { secure: true, web: false, port: 8883 },
  'ssl:': { secure: true, web: false, port: 8883 },
  'tls:': { secure: true, web: false, port: 8883 },
  'ws:': { secure: false, web: true, port: 80 },
  'wss:': { secure: true, web: true, port: 443 },
}

export const SCHEME_WORDS = 'mqtt://, mqtts://, ws:// or wss://'

/** `host:port` is mqtt://host:port. Undefined when it is none of the forms. */
export function findBroker(text: string): BrokerAddress | undefined {
  const written = /^[a-z]+:\/\//i.test(text) ? text : `mqtt://${text}`
  let url: URL
  try {
    url = new URL(written)
  } catch {
    return undefined
  }
  const scheme = SCHEMES[url.protocol]
  if (scheme === undefined || url.hostname === '' || url.username !== '' || url.hash !== '') return undefined
  const path = url.pathname + url.search
  if (!scheme.web && path !== '' && path !== '/') return undefined
  // URL drops the port of ws and wss where it is theirs.
  const port = url.port === '' ? scheme.port : Number(url.port)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    host,
    port,
    secure: scheme.secure,
    path: scheme.web ? (path === '/' ? '/mqtt' : path) : undefined,
    words: `${url.protocol}//${url.hostname}:${port}${scheme.web ? path : ''}`,
  }
}

export interface TransportEvents {
  open(): void
  data(bytes: Uint8Array): void
  /** Once, whatever happened; nothing comes after it. */
  close(reason: string): void
}

export interface Transport {
  /** `written` is called when the bytes have left, or with an error. */
  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void
  pause(): void
  resume(): void
  /** Sends what was written, and closes. */
  end(): void
  destroy(): void
}

export interface TransportOptions {
  readonly address: BrokerAddress
  readonly tls: ClientTlsOptions | undefined
  readonly headers: Iterable<readonly [string, string]>
}

export function openTransport({ address, tls, headers }: TransportOptions, events: TransportEvents): Transport {
  const { host, port, secure, path } = address
  const socket: Socket = secure ? connectTls({ host, port, ...tlsName(host), ...tls }) : connectTcp({ host, port })
  // Acknowledgements are small: with Nagle's algorithm each waits for the broker's delayed ACK.
  socket.setNoDelay(true)
  let reason = 'the broker closed the connection'
  const fail = (error: unknown): void => {
    reason = error instanceof Error ? error.message : String(error)
    socket.destroy()
  }
  const web =
    path === undefined
      ? undefined
      : new WebSocketCodec({ host: `${host.includes(':') ? `[${host}]` : host}:${port}`, path }, headers, {
          open: events.open,
          data: events.data,
          write: (bytes) => void socket.write(bytes),
        })
  socket.on(secure ? 'secureConnect' : 'connect', () => {
    if (web === undefined) events.open()
    else socket.write(web.request)
  })
  socket.on('data', (chunk: Buffer) => {
    // A plain array: element access on it is faster than on a Buffer where both come.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    try {
      if (web === undefined) events.data(bytes)
      else web.push(bytes)
    } catch (error) {
      fail(error)
    }
  })
  socket.on('error', fail)
  socket.on('close', () => events.close(reason))
  return {
    write: (bytes, written) => void socket.write(web === undefined ? bytes : web.frame(bytes), written),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  }
}

/** SNI is for names, not for addresses. */
const tlsName = (host: string): { servername?: string } =>
  /^[\d.]+$/.test(host) || host.includes(':') ? {} : { servername: host }
