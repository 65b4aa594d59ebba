// Stands between the router and its broker: cuts connections when it is told to, and listens in: what the router has
// acknowledged is its word, whatever becomes of the packet that says so.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Packet, parser } from 'mqtt-packet'

export class MqttProxy {
  readonly #brokerPort: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #onAcknowledged: (payload: Buffer) => void
  /** Times that the broker has granted subscriptions. */
  subscribed = 0
  cuts = 0

  constructor(brokerPort: number, onAcknowledged: (payload: Buffer) => void) {
    this.#brokerPort = brokerPort
    this.#onAcknowledged = onAcknowledged
    this.#server = createServer((router) => this.#pair(router))
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as { port: number }).port
  }

  /** Ends every connection where it stands, within a packet too. */
  cut(): void {
    this.cuts++
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #pair(router: Socket): void {
    const broker = connect(this.#brokerPort, '127.0.0.1')
    /** By packet id. */
    const open = new Map<number, Buffer>()
    this.#join(router, broker, (packet) => {
      if (packet.cmd !== 'puback' || (packet.reasonCode ?? 0) >= 0x80) return
      const payload = open.get(packet.messageId!)
      if (payload === undefined) throw new Error(`packet ${packet.messageId} is acknowledged and was never sent`)
      open.delete(packet.messageId!)
      this.#onAcknowledged(payload)
    })
    this.#join(broker, router, (packet) => {
      if (packet.cmd === 'suback') this.subscribed++
      else if (packet.cmd === 'publish' && packet.qos === 1)
        open.set(packet.messageId!, Buffer.from(packet.payload as Buffer))
    })
  }

  /** What is read is told before it is passed on: an answer to it cannot be seen before it. */
  #join(from: Socket, to: Socket, onPacket: (packet: Packet) => void): void {
    const reader = parser({ protocolVersion: 5 })
    reader.on('packet', onPacket)
    this.#sockets.add(from)
    from.setNoDelay(true)
    from.on('data', (chunk: Buffer) => {
      reader.parse(chunk)
      if (!to.write(chunk)) from.pause()
    })
    to.on('drain', () => from.resume())
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }
}
