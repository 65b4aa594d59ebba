// A broker that has nothing to do but send, in a process of its own: messages made beforehand, as fast as its one client
// takes them. With QoS 1 it keeps a window of unacknowledged messages full.
//
//   fork('mqtt-blaster.ts')  ◀── { messages, qos, devices, isoTime }      how many, in all
//   'listening' { port } ──▶      a client subscribes ──▶ it waits for 'go', sends ──▶ 'sent' { acknowledged }

import { createServer, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'
import { Writer } from '../../src/wire/writer.ts'

export interface BlasterOptions {
  readonly qos: 0 | 1
  readonly devices: number
  /** In each message; 5 by default. */
  readonly points?: number
  /** Sparkplug B: births first, and then data by alias. */
  readonly sparkplug?: boolean
  /** Of MQTT, which its client speaks: 5 by default, 4 is 3.1.1. */
  readonly version?: 4 | 5
  /** `timestamp` as ISO 8601 instead of milliseconds. */
  readonly isoTime?: boolean
}

export type ToBlaster =
  | { readonly kind: 'open'; readonly options: BlasterOptions }
  | { readonly kind: 'go'; readonly messages: number }
export type FromBlaster =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'subscribed' }
  | { readonly kind: 'sent'; readonly messages: number; readonly wallMs: number }

const NAMES = ['temperature', 'vibration', 'spindle_speed', 'power', 'part_count']
const UNITS = ['C', 'mm/s', 'rpm', 'kW', '1']
const WINDOW = 20_000
/** Of Sparkplug one of each edge node: there are so many of them. */
const CHUNK_MESSAGES = 200
const FIRST_MS = 1_767_225_600_123

const version = () => ({ protocolVersion: options.version ?? 5 })

const tell = (message: FromBlaster): void => void process.send?.(message)

let options: BlasterOptions = { qos: 0, devices: 200 }
let client: Socket | undefined
let left = 0
let asked = 0
let fromMs = 0
let nextId = 1
let unacknowledged = 0
let made: { bytes: Buffer; ids: number[] }[] = []
let nextChunk = 0
let births: Buffer = Buffer.alloc(0)

/** The `round`th message of edge node `i`, from 0, which is its birth. */
function sparkplugMessage(i: number, round: number): Buffer {
  const ms = FIRST_MS + i
  const time = (writer: Writer, field: number): Writer => writer.tag(field, 0).varint(ms)
  const payload = time(new Writer(), 1)
  for (const [k, name] of NAMES.entries()) {
    const metric = new Writer()
    if (round === 0) metric.field(1, Buffer.from(name)).tag(4, 0).varint(10)
    time(metric.tag(2, 0).varint(k), 3)
      .tag(13, 1)
      .f64(20 + k * 10 + (i % 97) / 7)
    payload.field(2, metric.toBytes())
  }
  payload.tag(3, 0).varint(round % 256)
  const topic = `spBv1.0/plant/${round === 0 ? 'NBIRTH' : 'NDATA'}/node-${i}`
  const packet = { cmd: 'publish', topic, payload: Buffer.from(payload.toBytes()), qos: 0, dup: false, retain: false }
  return generate(packet as Packet, { protocolVersion: 5 }) as Buffer
}

/** A birth of every node, and then data: 256 rounds, so that seq goes on when they begin anew. */
function makeSparkplug(): void {
  const chunk = (round: number): Buffer =>
    Buffer.concat(Array.from({ length: options.devices }, (_, i) => sparkplugMessage(i, round)))
  births = chunk(0)
  made = Array.from({ length: 256 }, (_, i) => ({ bytes: chunk(i + 1), ids: [] }))
}

function message(i: number): Buffer {
  const device = `cnc-${String(i % options.devices).padStart(2, '0')}`
  const ms = FIRST_MS + i
  const metrics = Array.from({ length: options.points ?? NAMES.length }, (_, k) => ({
    name: k < NAMES.length ? NAMES[k] : `${NAMES[k % NAMES.length]}_${k}`,
    value: +(20 + k * 10 + (i % 97) / 7).toFixed(2),
    unit: UNITS[k % UNITS.length],
  }))
  const timestamp = options.isoTime === true ? new Date(ms).toISOString() : ms
  const payload = JSON.stringify({ device_id: device, timestamp, metrics })
  const packet = {
    cmd: 'publish',
    topic: `devices/${device}/data`,
    payload,
    qos: options.qos,
    dup: false,
    retain: false,
  }
  return generate({ ...packet, messageId: 1 } as Packet, version()) as Buffer
}

/** Chunks of messages, and where the packet id of each stands. */
function make(): void {
  if (options.sparkplug === true) {
    makeSparkplug()
    return
  }
  made = []
  for (let first = 0; first < Math.max(options.devices, 4000); first += CHUNK_MESSAGES) {
    const messages = Array.from({ length: CHUNK_MESSAGES }, (_, i) => message(first + i))
    const ids: number[] = []
    let at = 0
    for (const bytes of messages) {
      const head = bytes[1]! > 0x7f ? 3 : 2
      ids.push(at + head + 2 + bytes.readUInt16BE(head))
      at += bytes.length
    }
    made.push({ bytes: Buffer.concat(messages), ids })
  }
}

function pump(): void {
  const socket = client
  if (socket === undefined || left === 0) return
  while (left > 0) {
    if (options.qos === 1 && unacknowledged + CHUNK_MESSAGES > WINDOW) return
    const { bytes, ids } = made[nextChunk++ % made.length]!
    const own = options.qos === 0 ? bytes : Buffer.from(bytes)
    if (options.qos === 1) {
      for (const at of ids) {
        own.writeUInt16BE(nextId, at)
        nextId = nextId === 65535 ? 1 : nextId + 1
      }
      unacknowledged += CHUNK_MESSAGES
    }
    left -= CHUNK_MESSAGES
    if (!socket.write(own)) break
  }
  if (left === 0 && options.qos === 0) socket.write(Buffer.alloc(0), done)
}

const done = (): void => tell({ kind: 'sent', messages: asked, wallMs: performance.now() - fromMs })

/** PUBACKs are four bytes each, and the only packets that come while messages are sent, but for a PINGREQ. */
let halfAck = 0
function acknowledged(chunk: Buffer): void {
  const bytes = halfAck + chunk.length
  unacknowledged -= bytes >> 2
  halfAck = bytes & 3
  if (left === 0 && unacknowledged === 0) done()
  else pump()
}

const server = createServer((socket) => {
  socket.setNoDelay(true)
  const reader = parser(version())
  let isSending = false
  reader.on('packet', (packet) => {
    const send = (answer: Packet): void => void socket.write(generate(answer, version()))
    if (packet.cmd === 'connect')
      send({ cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent: false } as Packet)
    else if (packet.cmd === 'subscribe') {
      send({ cmd: 'suback', messageId: packet.messageId!, granted: [options.qos] } as Packet)
      client = socket
      isSending = true
      socket.write(births)
      tell({ kind: 'subscribed' })
    }
  })
  socket.on('data', (chunk: Buffer) => {
    if (!isSending) reader.parse(chunk)
    else if (options.qos === 1) acknowledged(chunk)
  })
  socket.on('drain', pump)
  socket.on('error', () => {})
})

process.on('message', (question: ToBlaster) => {
  if (question.kind === 'open') {
    options = question.options
    make()
    server.listen(0, '127.0.0.1', () => tell({ kind: 'listening', port: (server.address() as { port: number }).port }))
  } else {
    left = Math.ceil(question.messages / CHUNK_MESSAGES) * CHUNK_MESSAGES
    asked = left
    fromMs = performance.now()
    pump()
  }
})
process.on('disconnect', () => process.exit(0))
