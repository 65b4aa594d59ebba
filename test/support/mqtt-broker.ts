// A broker that a test scripts, packet by packet, and a client that publishes to a real one.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { generate, type IConnackPacket, type IConnectPacket, type Packet, parser } from 'mqtt-packet'
import { until } from './until.ts'

/** The broker's side of one connection. */
export class Peer {
  readonly socket: Socket
  /** All that came, in order. */
  readonly packets: Packet[] = []
  /** Of CONNECT. */
  version: 4 | 5 = 5
  isClosed = false
  onPacket: ((packet: Packet) => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    const reader = parser()
    reader.on('packet', (packet) => {
      if (packet.cmd === 'connect') this.version = packet.protocolVersion === 5 ? 5 : 4
      this.packets.push(packet)
      this.onPacket?.(packet)
    })
    socket.on('data', (chunk) => reader.parse(chunk as Buffer))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
    })
  }

  get connect(): IConnectPacket | undefined {
    return this.packets.find((packet) => packet.cmd === 'connect') as IConnectPacket | undefined
  }

  of(cmd: Packet['cmd']): Packet[] {
    return this.packets.filter((packet) => packet.cmd === cmd)
  }

  /** Packet ids of those. */
  ids(cmd: Packet['cmd']): (number | undefined)[] {
    return this.of(cmd).map((packet) => packet.messageId)
  }

  send(...packets: Packet[]): void {
    this.socket.write(
      Buffer.concat(packets.map((packet) => generate(packet, { protocolVersion: this.version }) as Buffer)),
    )
  }

  publish(topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 0, id = 0, more: object = {}): void {
    this.send({ cmd: 'publish', topic, payload, qos, dup: false, retain: false, messageId: id, ...more } as Packet)
  }
}

export interface ScriptedBroker {
  readonly port: number
  readonly peers: Peer[]
  /** The connection that came as the `n`th, from 0, once it has subscribed. */
  subscribed(n: number): Promise<Peer>
  close(): Promise<void>
}

/** Takes whoever comes, unless `onConnect` answers by itself (it then returns true). */
export async function scriptedBroker(
  t: TestContext,
  options: {
    connack?: Partial<IConnackPacket>
    suback?: object
    onConnect?: (peer: Peer) => boolean | undefined
    port?: number
  } = {},
): Promise<ScriptedBroker> {
  const peers: Peer[] = []
  const server: Server = createServer((socket) => {
    const peer = new Peer(socket)
    peers.push(peer)
    peer.onPacket = (packet) => {
      if (packet.cmd === 'connect') {
        if (options.onConnect?.(peer) === true) return
        const code = peer.version === 5 ? { reasonCode: 0 } : { returnCode: 0 }
        peer.send({ cmd: 'connack', sessionPresent: false, ...code, ...options.connack } as Packet)
      } else if (packet.cmd === 'subscribe')
        peer.send({
          cmd: 'suback',
          messageId: packet.messageId!,
          granted: packet.subscriptions.map(({ qos }) => qos),
          ...options.suback,
        } as Packet)
      else if (packet.cmd === 'unsubscribe')
        peer.send({
          cmd: 'unsuback',
          messageId: packet.messageId!,
          granted: packet.unsubscriptions.map(() => 0),
        } as Packet)
      else if (packet.cmd === 'pingreq') peer.send({ cmd: 'pingresp' })
      else if (packet.cmd === 'disconnect') socket.end()
    }
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    for (const { socket } of peers) socket.destroy()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  t.after(close)
  return {
    port: (server.address() as { port: number }).port,
    peers,
    async subscribed(n) {
      await until(() => (peers[n]?.of('subscribe').length ?? 0) > 0)
      return peers[n]!
    },
    close,
  }
}

/** A client of a real broker that publishes with QoS 1 or 2 and knows what the broker has taken. */
export class Publisher {
  readonly #socket: Socket
  #nextId = 1
  readonly #open = new Set<number>()
  #isConnected = false
  /** The broker has ended the connection. */
  isThrownOut = false

  private constructor(socket: Socket) {
    this.#socket = socket
    const reader = parser()
    reader.on('packet', (packet) => {
      if (packet.cmd === 'connack') this.#isConnected = true
      else if (packet.cmd === 'puback' || packet.cmd === 'pubcomp') this.#open.delete(packet.messageId!)
      else if (packet.cmd === 'pubrec') this.#write({ cmd: 'pubrel', messageId: packet.messageId! } as Packet)
    })
    socket.on('data', (chunk) => reader.parse(chunk as Buffer))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isThrownOut = true
    })
  }

  static async connect(port: number, clientId = 'publisher'): Promise<Publisher> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.setNoDelay(true)
    const publisher = new Publisher(socket)
    publisher.#write({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId, keepalive: 0 })
    // Some brokers take only so much before they have answered.
    await until(() => publisher.#isConnected)
    return publisher
  }

  /** Of messages that the broker has not taken yet. */
  get open(): number {
    return this.#open.size
  }

  publish(topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 1, retain = false): void {
    const messageId = this.#nextId
    this.#nextId = messageId === 65535 ? 1 : messageId + 1
    if (qos > 0) this.#open.add(messageId)
    this.#write({ cmd: 'publish', topic, payload, qos, dup: false, retain, messageId })
  }

  /** All that was published is with the broker. */
  async taken(): Promise<void> {
    await until(() => this.#open.size === 0)
  }

  close(): void {
    this.#socket.destroy()
  }

  #write(packet: Packet): void {
    this.#socket.write(generate(packet, { protocolVersion: 4 }))
  }
}
