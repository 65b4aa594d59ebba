// A DNS server that answers for one name with the addresses it is given (RFC 1035 4): enough to see that it was asked.

import { createSocket } from 'node:dgram'
import { isIPv4 } from 'node:net'
import type { TestContext } from 'node:test'

export interface DnsServer {
  readonly address: string
  /** What it answers from now on. */
  addresses: readonly string[]
  /** Names that were asked for. */
  readonly asked: string[]
}

const A = 1
const AAAA = 28

export async function dnsServer(t: TestContext, addresses: readonly string[]): Promise<DnsServer> {
  const socket = createSocket('udp4')
  const server: DnsServer = { address: '', addresses, asked: [] }
  socket.on('message', (query, { port, address }) => {
    const labels: string[] = []
    let at = 12
    for (; query[at]! > 0; at += 1 + query[at]!) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!))
    const type = query.readUInt16BE(at + 1)
    const question = query.subarray(12, at + 5)
    server.asked.push(labels.join('.'))
    const answers = server.addresses.filter((one) => isIPv4(one) && type === A)
    const head = Buffer.from(query.subarray(0, 12))
    // A response, recursion available, no error; one question, so many answers.
    head.writeUInt16BE(0x8180, 2)
    head.writeUInt16BE(answers.length, 6)
    head.writeUInt32BE(0, 8)
    const records = answers.map((one) =>
      // The name of the question, the class IN, no time to live, four bytes.
      Buffer.from([0xc0, 12, 0, A, 0, 1, 0, 0, 0, 0, 0, 4, ...one.split('.').map(Number)]),
    )
    if (type === A || type === AAAA) socket.send(Buffer.concat([head, question, ...records]), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.after(() => socket.close())
  return Object.assign(server, { address: `127.0.0.1:${socket.address().port}` })
}
