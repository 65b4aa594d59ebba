// A broker that has nothing to do but take messages, in a process of its own: it acknowledges at once and counts.
//
//   fork('mqtt-sink.ts')  ──'listening' { port }──▶  'count' ──▶ 'count' { messages }

import { createServer } from 'node:net'
import { generate, type Packet } from 'mqtt-packet'
import { FrameReader } from '../../src/net/mqtt/frames.ts'

export type ToMqttSink = { readonly kind: 'count' }
export type FromMqttSink =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'count'; readonly messages: number }

const tell = (message: FromMqttSink): void => void process.send?.(message)
const MAX_PACKET_BYTES = 1 << 20

let messages = 0

const server = createServer((socket) => {
  socket.setNoDelay(true)
  let acks = Buffer.allocUnsafe(64 * 1024)
  let length = 0
  const reader = new FrameReader(
    {
      publish({ qos, id }) {
        messages++
        if (qos === 0) return
        if (length + 4 > acks.length) flush()
        acks[length++] = 0x40
        acks[length++] = 2
        acks[length++] = id >> 8
        acks[length++] = id & 0xff
      },
      oversized() {},
      pubrel() {},
      acknowledged() {},
      packet({ cmd }) {
        if (cmd !== 'connect') return
        const properties = { receiveMaximum: 65_535, topicAliasMaximum: 1000 }
        socket.write(
          generate({ cmd: 'connack', reasonCode: 0, sessionPresent: false, properties } as Packet, {
            protocolVersion: 5,
          }),
        )
      },
    },
    5,
    MAX_PACKET_BYTES,
    1000,
  )
  const flush = (): void => {
    if (length === 0) return
    socket.write(acks.subarray(0, length))
    acks = Buffer.allocUnsafe(64 * 1024)
    length = 0
  }
  socket.on('data', (chunk: Buffer) => {
    reader.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length))
    flush()
  })
  socket.on('error', () => {})
})

process.on('message', (_question: ToMqttSink) => tell({ kind: 'count', messages }))
process.on('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => tell({ kind: 'listening', port: (server.address() as { port: number }).port }))
