// Devices that number their messages: well-behaved publishers at QoS 1, which send again, in order, what the broker had
// not taken when a connection was lost.
//
//   next number ──▶ sent ──▶ PUBACK: taken by the broker
//                   ▲  │
//                   └──┘ connection lost

import { connect, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'

const AGAIN_AFTER_MS = 30
/** Unacknowledged messages of all devices. */
const WINDOW = 400
const EVERY_MS = 5

export interface DevicesOptions {
  readonly port: number
  readonly devices: number
  readonly messagesPerSecond: number
}

export const deviceName = (device: number): string => `d${device}`

export class Devices {
  readonly #options: DevicesOptions
  /** The next number of each device. */
  readonly #next: number[]
  /** By packet id, in the order in which they were sent. */
  readonly #open = new Map<number, { device: number; number: number }>()
  readonly #onTaken: (device: number, number: number) => void
  #socket: Socket | undefined
  #connected = false
  #nextId = 1
  #turn = 0
  #due = 0
  #timer: NodeJS.Timeout | undefined
  #again: NodeJS.Timeout | undefined
  #sending = false
  #closed = false

  constructor(options: DevicesOptions, onTaken: (device: number, number: number) => void) {
    this.#options = options
    this.#onTaken = onTaken
    this.#next = new Array<number>(options.devices).fill(0)
  }

  get published(): number {
    return this.#next.reduce((sum, next) => sum + next, 0)
  }

  /** The broker has not said that it has them. */
  get open(): number {
    return this.#open.size
  }

  start(): void {
    this.#sending = true
    this.#connect()
    let before = performance.now()
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#due += ((now - before) / 1000) * this.#options.messagesPerSecond
      before = now
      while (this.#due >= 1) {
        this.#due--
        if (this.#sending && this.#connected && this.#open.size < WINDOW) this.#publish()
      }
    }, EVERY_MS)
  }

  /** No new numbers; what is open goes on until the broker has it. */
  finish(): void {
    this.#sending = false
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    clearTimeout(this.#again)
    this.#socket?.destroy()
  }

  #connect(): void {
    const socket = connect(this.#options.port, '127.0.0.1')
    this.#socket = socket
    socket.setNoDelay(true)
    const reader = parser({ protocolVersion: 4 })
    reader.on('packet', (packet) => {
      if (packet.cmd === 'connack') this.#resume()
      else if (packet.cmd === 'puback') this.#taken(packet.messageId!)
    })
    socket.on('data', (chunk: Buffer) => reader.parse(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#connected = false
      if (!this.#closed) this.#again = setTimeout(() => this.#connect(), AGAIN_AFTER_MS)
    })
    this.#write({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: 'devices',
      keepalive: 0,
    })
  }

  #resume(): void {
    this.#connected = true
    for (const [id, { device, number }] of this.#open) this.#send(id, device, number, true)
  }

  #taken(id: number): void {
    const message = this.#open.get(id)
    if (message === undefined) return
    this.#open.delete(id)
    this.#onTaken(message.device, message.number)
  }

  #publish(): void {
    const device = this.#turn++ % this.#options.devices
    const number = this.#next[device]!++
    const id = this.#nextId
    this.#nextId = id === 65535 ? 1 : id + 1
    this.#open.set(id, { device, number })
    this.#send(id, device, number, false)
  }

  #send(id: number, device: number, number: number, dup: boolean): void {
    const name = deviceName(device)
    const payload = JSON.stringify({ device_id: name, metrics: [{ name: 'count', value: number }] })
    this.#write({ cmd: 'publish', topic: `devices/${name}/data`, payload, qos: 1, dup, retain: false, messageId: id })
  }

  #write(packet: Packet): void {
    this.#socket?.write(generate(packet, { protocolVersion: 4 }))
  }
}
