// An HTTP server that answers as its test says, and keeps what it was asked.

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { decompress, type Encoding } from '../../src/net/compression.ts'

export interface HttpQuestion {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  /** Unpacked. */
  readonly body: Buffer
}

export type HttpReply = (question: HttpQuestion, response: ServerResponse) => void

/** With this status, body and headers; an object is written as JSON. */
export const reply =
  (status: number, body: string | object = '', headers: Record<string, string> = {}): HttpReply =>
  (_, response) => {
    const isJson = typeof body === 'object'
    response.writeHead(status, { ...(isJson && { 'content-type': 'application/json' }), ...headers })
    response.end(isJson ? JSON.stringify(body) : body)
  }

export interface ScriptedHttp {
  readonly url: string
  readonly asked: HttpQuestion[]
  answerWith(next: HttpReply): void
}

export async function scriptedHttp(t: TestContext, first: HttpReply): Promise<ScriptedHttp> {
  let answer = first
  const asked: HttpQuestion[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', () => {})
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      const packed = headers['content-encoding'] as Encoding | undefined
      const bytes = Buffer.concat(chunks)
      const body = packed === undefined ? bytes : Buffer.from(decompress(packed, bytes, 1e8))
      const question = { method, url: new URL(url, 'http://localhost'), headers, body }
      asked.push(question)
      answer(question, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answerWith: (next) => void (answer = next),
  }
}
