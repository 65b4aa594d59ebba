// The HTTP door of an OTLP receiver, and what knocks at it.

import { connect as connectTcp } from 'node:net'
import { type TestContext, test } from 'node:test'
import { request } from 'undici'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { factory } from '../../src/receivers/otlp/factory.ts'
import type { OtlpReceiver } from '../../src/receivers/otlp/otlp.ts'
import { receiverHarness } from './harness.ts'
import { loopRelief } from './loop-relief.ts'

export const PROTOBUF = 'application/x-protobuf'
export const JSON_TYPE = 'application/json'

export const json = (count: number): string => {
  const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'GET /cart' }
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: Array(count).fill(span) }] }] })
}
export const spans = (count: number): Uint8Array<ArrayBuffer> => jsonToBytes('traces', json(count))

export type Options = Parameters<typeof receiverHarness>[3]
export type Door = (t: TestContext, http?: object, options?: Options) => ReturnType<typeof openDoor>

/** A promise that the door keeps, whether its shard does the work or another one. */
export function both(name: string, run: (t: TestContext, door: Door) => Promise<void>): void {
  test(name, (t) => run(t, openDoor))
  test(`handed over: ${name}`, (t) =>
    run(t, (on, http, options) => openDoor(on, http, { ...options, relief: loopRelief(on) })))
}

export async function openDoor(t: TestContext, http: object = {}, options: Options = {}) {
  const rig = await receiverHarness(t, factory, { protocols: { http: { endpoint: '127.0.0.1:0', ...http } } }, options)
  const port = (rig.receiver as OtlpReceiver).listening.http!.port
  return { ...rig, port }
}

export interface Answer {
  status: number
  type: string | undefined
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

export async function post(
  port: number,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  path = '/v1/traces',
  method = 'POST',
): Promise<Answer> {
  const answer = await request(`http://127.0.0.1:${port}${path}`, {
    method: method as 'POST',
    headers: { 'content-type': PROTOBUF, ...headers },
    ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : Buffer.from(body) }),
  })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  return {
    status: answer.statusCode,
    type: answer.headers['content-type'] as string,
    headers: answer.headers,
    body: bytes,
  }
}

/** Bytes as they are, and everything that comes back until the server closes or `quietMs` pass. */
export function raw(
  port: number,
  pieces: readonly string[],
  quietMs = 1500,
): Promise<{ text: string; closed: boolean; tookMs: number }> {
  return new Promise((resolve) => {
    const started = performance.now()
    let text = ''
    const socket = connectTcp(port, '127.0.0.1')
    const end = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, closed, tookMs: performance.now() - started })
    }
    const timer = setTimeout(() => end(false), quietMs)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => end(true))
    for (const piece of pieces) socket.write(piece)
  })
}
