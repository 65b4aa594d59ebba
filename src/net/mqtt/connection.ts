// One connection to one broker: CONNECT, keep-alive, SUBSCRIBE, and the messages that come. It never connects again: that
// is the session's.
//
//   opening --open--> connecting --CONNACK--> connected --close--> closed
//
// Keep-alive goes on while reading is paused: PINGREQ is sent by the clock, and a PINGRESP that waits in the socket because
// we do not read is not missed.

import { generate, type IConnackPacket, type IDisconnectPacket, type ISubackPacket, type Packet } from 'mqtt-packet'
import type { Clock, Timer } from '../../graph/clock.ts'
import type { ClientTlsOptions } from '../tls/load.ts'
import { type FrameHandler, FrameReader, type PublishFrame, UnknownAlias, type Version } from './frames.ts'
import { authenticationWords, REASON, type ReasonProperties, reasonWords } from './reasons.ts'
import { type BrokerAddress, openTransport, type Transport } from './transport.ts'

export interface Subscription {
  readonly filter: string
  readonly qos: 0 | 1 | 2
  /** MQTT 5: 0 send retained messages, 1 only where the subscription is new, 2 never. */
  readonly retainHandling: 0 | 1 | 2
  /** MQTT 5: messages that we publish ourselves do not come back. */
  readonly noLocal: boolean
}

/** A message that we publish. */
export interface Announcement {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1
  readonly retain: boolean
}

export interface ConnectionOptions {
  readonly address: BrokerAddress
  readonly version: Version
  readonly tls: ClientTlsOptions | undefined
  readonly headers: Iterable<readonly [string, string]>
  readonly clientId: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly cleanStart: boolean
  readonly sessionExpirySeconds: number
  readonly receiveMaximum: number
  readonly topicAliasMaximum: number
  /** Messages with a topic alias that nobody knows have an empty topic; otherwise they end the connection. */
  readonly forgivesAliases?: boolean
  readonly maxPacketBytes: number
  readonly keepAliveSeconds: number
  readonly connectTimeoutMs: number
  /** What the broker publishes for us when we vanish; asked at each connection. */
  readonly will?: () => Announcement
}

export interface Connack {
  readonly sessionPresent: boolean
  readonly assignedClientId: string | undefined
  readonly sharedSubscriptions: boolean
  /** What may be published: MQTT 5, 3.2.2.3; without MQTT 5 everything. */
  readonly receiveMaximum: number
  readonly topicAliasMaximum: number
  readonly maxPacketBytes: number
  readonly maxQos: 0 | 1 | 2
  readonly retainAvailable: boolean
}

export interface Closed {
  readonly words: string
  /** How far it came. */
  readonly during: 'opening' | 'connecting' | 'connected'
  /** What the broker said in CONNACK or DISCONNECT, or what we have to say of it. */
  readonly code: number | undefined
}

export interface ConnectionEvents {
  connected(connack: Connack): void
  publish(frame: PublishFrame): void
  oversized(frame: PublishFrame, bytes: number): void
  pubrel(id: number): void
  /** Of what we published. */
  acknowledged(type: 'puback' | 'pubrec' | 'pubcomp', id: number, code: number): void
  /** All messages of one read of the socket have been given to publish(). */
  readEnd(): void
  /** The broker's answers, one for each filter of subscribe(), in order, and what it says beside them. */
  subscribed(codes: readonly number[], said: ReasonProperties | undefined): void
  /** Once. */
  closed(closed: Closed): void
}

const PINGREQ = Uint8Array.of(0xc0, 0)
const DISCONNECT = { 4: Uint8Array.of(0xe0, 0), 5: Uint8Array.of(0xe0, 2, 0, 0) } as const
/** MQTT 5.0, 1.5.5: what a remaining length can say. */
const PACKET_MAX_BYTES = 268_435_460
/** A packet is due before one and a half keep-alives have passed; we are early, by a quarter. */
const PING_AT = 0.75

export class Connection implements FrameHandler {
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #clock: Clock
  readonly #transport: Transport
  readonly #reader: FrameReader
  readonly #handshake: Timer
  #keepAlive: Timer | undefined
  #during: Closed['during'] = 'opening'
  #isClosed = false
  #code: number | undefined
  #words: string | undefined
  #isPaused = false
  /** Since the last tick of keep-alive. */
  #wasPaused = false
  #heard = true
  #nextId = 1

  constructor(options: ConnectionOptions, events: ConnectionEvents, clock: Clock) {
    this.#options = options
    this.#events = events
    this.#clock = clock
    const { connectTimeoutMs, version, maxPacketBytes, topicAliasMaximum, forgivesAliases } = options
    this.#reader = new FrameReader(this, version, maxPacketBytes, topicAliasMaximum, forgivesAliases)
    this.#handshake = clock.after(connectTimeoutMs, () => this.#fail(`no answer within ${connectTimeoutMs / 1000}s`))
    this.#transport = openTransport(options, {
      open: () => this.#connect(),
      data: (bytes) => {
        this.#heard = true
        if (this.#isClosed) return
        try {
          this.#reader.push(bytes)
        } catch (error) {
          if (error instanceof UnknownAlias) this.#code = REASON.TOPIC_ALIAS_INVALID
          throw error
        }
        this.#events.readEnd()
      },
      close: (reason) => this.#close(reason),
    })
  }

  get isConnected(): boolean {
    return this.#during === 'connected' && !this.#isClosed
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void {
    if (!this.#isClosed) this.#transport.write(bytes, written)
  }

  pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#wasPaused = true
    this.#transport.pause()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#transport.resume()
  }

  subscribe(subscriptions: readonly Subscription[]): void {
    this.#send({
      cmd: 'subscribe',
      messageId: this.#id(),
      subscriptions: subscriptions.map(({ filter, qos, retainHandling, noLocal }) => ({
        topic: filter,
        qos,
        // Retain As Published lets us see which messages are old.
        ...(this.#options.version === 5 ? { rh: retainHandling, rap: true, nl: noLocal } : {}),
      })),
    } as Packet)
  }

  /** Nobody waits for the broker's answer to it: the order of packets on the connection has to do. */
  announce({ topic, payload, qos, retain }: Announcement): void {
    const messageId = qos === 0 ? {} : { messageId: this.#id() }
    this.#send({ cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false, ...messageId })
  }

  unsubscribe(filters: readonly string[]): void {
    this.#send({ cmd: 'unsubscribe', messageId: this.#id(), unsubscriptions: [...filters] })
  }

  /** Says goodbye and closes: the session stays as long as it was asked for. */
  disconnect(): void {
    if (this.#isClosed) return
    this.#words = 'we closed the connection'
    if (this.#during !== 'connected') {
      this.destroy()
      return
    }
    this.#transport.write(DISCONNECT[this.#options.version])
    this.#transport.end()
    // What still comes is read and forgotten: to close on unread bytes would reset what we have just sent.
    this.resume()
  }

  destroy(): void {
    this.#transport.destroy()
    this.#close('we closed the connection')
  }

  publish(frame: PublishFrame): void {
    if (this.#during === 'connected') this.#events.publish(frame)
    else this.#fail('PUBLISH before CONNACK')
  }

  oversized(frame: PublishFrame, bytes: number): void {
    this.#events.oversized(frame, bytes)
  }

  pubrel(id: number): void {
    this.#events.pubrel(id)
  }

  acknowledged(type: 'puback' | 'pubrec' | 'pubcomp', id: number, code: number): void {
    this.#events.acknowledged(type, id, code)
  }

  packet(packet: Packet): void {
    if (packet.cmd === 'connack') this.#connack(packet)
    else if (packet.cmd === 'suback') {
      const { granted, properties } = packet as ISubackPacket
      this.#events.subscribed(granted as number[], properties)
    } else if (packet.cmd === 'disconnect') this.#disconnected(packet)
    else if (packet.cmd === 'auth')
      this.#fail(`the broker asks for more: ${authenticationWords(packet.properties?.authenticationMethod)}`)
  }

  #connect(): void {
    const { version, clientId, username, password, cleanStart, keepAliveSeconds } = this.#options
    const { sessionExpirySeconds, receiveMaximum, topicAliasMaximum, maxPacketBytes } = this.#options
    const will = this.#options.will?.()
    this.#during = 'connecting'
    this.#send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: version,
      clientId,
      clean: cleanStart,
      keepalive: keepAliveSeconds,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password: Buffer.from(password) }),
      ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload) } }),
      ...(version === 4
        ? {}
        : {
            properties: {
              sessionExpiryInterval: sessionExpirySeconds,
              receiveMaximum,
              maximumPacketSize: maxPacketBytes,
              ...(topicAliasMaximum === 0 ? {} : { topicAliasMaximum }),
              requestProblemInformation: true,
            },
          }),
    })
  }

  #connack({ reasonCode, returnCode, sessionPresent, properties }: IConnackPacket): void {
    const code = reasonCode ?? returnCode ?? 0
    if (code !== 0) {
      this.#code = code
      this.#fail(`the broker refused: ${reasonWords(code, properties)}`)
      return
    }
    this.#handshake.cancel()
    this.#during = 'connected'
    const keepAlive = properties?.serverKeepAlive ?? this.#options.keepAliveSeconds
    if (keepAlive > 0) this.#keepAlive = this.#clock.every(keepAlive * 1000 * PING_AT, () => this.#ping())
    this.#events.connected({
      sessionPresent,
      assignedClientId: properties?.assignedClientIdentifier,
      sharedSubscriptions: properties?.sharedSubscriptionAvailable ?? true,
      receiveMaximum: properties?.receiveMaximum ?? 65_535,
      topicAliasMaximum: properties?.topicAliasMaximum ?? 0,
      maxPacketBytes: properties?.maximumPacketSize ?? PACKET_MAX_BYTES,
      // The codec reads it as a number or as a flag.
      maxQos: Math.min(2, Number(properties?.maximumQoS ?? 2)) as 0 | 1 | 2,
      retainAvailable: Boolean(properties?.retainAvailable ?? true),
    })
  }

  #disconnected({ reasonCode = 0, properties }: IDisconnectPacket): void {
    this.#code = reasonCode
    this.#fail(`the broker ended the connection: ${reasonWords(reasonCode, properties)}`)
  }

  #ping(): void {
    if (!this.#heard && !this.#wasPaused) {
      this.#fail('nothing was heard of the broker for longer than the keep-alive')
      return
    }
    this.#heard = false
    this.#wasPaused = this.#isPaused
    this.#transport.write(PINGREQ)
  }

  #id(): number {
    const id = this.#nextId
    this.#nextId = id === 65535 ? 1 : id + 1
    return id
  }

  #send(packet: Packet): void {
    this.write(generate(packet, { protocolVersion: this.#options.version }))
  }

  #fail(words: string): void {
    this.#words ??= words
    this.#transport.destroy()
    this.#close(words)
  }

  #close(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handshake.cancel()
    this.#keepAlive?.cancel()
    this.#events.closed({ words: this.#words ?? reason, during: this.#during, code: this.#code })
  }
}
