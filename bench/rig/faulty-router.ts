// A router that does wrong on purpose, so that tests see whether the rig notices. OTLP/HTTP in and out, one try for each request.
//
//   faulty-router.ts FAULT --config FILE
//
//   lossy   of ten requests one is answered OK and not sent on, and one is sent on twice
//   stall   does nothing for half a second, once
//   die     ends

import { readFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { parse } from 'yaml'

export type Fault = 'lossy' | 'stall' | 'die'

export const STALL_MS = 500
/** Requests before the first fault: more than the warm-up of a test has. */
const GOOD_REQUESTS = 20

const agent = new Agent({ keepAlive: true })

const send = (to: URL, body: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    request(to, { method: 'POST', agent }, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end(body)
  })

function serve(fault: Fault, file: string): void {
  const { receivers, exporters } = parse(readFileSync(file, 'utf8'))
  const [host, port] = receivers.otlp.protocols.http.endpoint.split(':')
  const next = new URL('/v1/traces', exporters.otlp_http.endpoint)
  let count = 0
  createServer(async (message, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk)
    const number = count++
    if (number === GOOD_REQUESTS && fault === 'die') process.exit(7)
    if (number === GOOD_REQUESTS && fault === 'stall')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS)
    const digit = fault === 'lossy' && number >= GOOD_REQUESTS ? number % 10 : -1
    const times = digit === 4 ? 0 : digit === 9 ? 2 : 1
    for (let time = 0; time < times; time++) await send(next, Buffer.concat(chunks))
    response.writeHead(200, { 'content-length': 0 }).end()
  }).listen(Number(port), host)
}

if (import.meta.main) serve(process.argv[2] as Fault, process.argv.at(-1)!)
