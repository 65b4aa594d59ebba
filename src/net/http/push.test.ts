import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { rig } from '../../../test/support/harness.ts'
import { type HttpReply, reply, scriptedHttp } from '../../../test/support/scripted-http.ts'
import { object } from '../../config/schema.ts'
import { parseConfig } from '../../config/testing.ts'
import type { DeliveryError } from '../../delivery/error.ts'
import { NO_CLIENT } from '../../otlp/batch.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { httpClientFields } from './client-config.ts'
import { HttpPush, type HttpPushOptions, HttpRefusal, shownUrl } from './push.ts'

async function pusher(t: TestContext, config: object = {}, options: HttpPushOptions = {}) {
  const context = { ...rig().context('exporter', 'store'), signals: SIGNALS }
  const push = new HttpPush(parseConfig(object(httpClientFields), config), context, options)
  await push.start([])
  t.after(() => push.close())
  const send = (url: string, body: string[] = ['a', 'b'], signal = new AbortController().signal) =>
    push.send(
      { url: new URL(url), headers: {}, body: body.map((part) => Buffer.from(part)), client: NO_CLIENT },
      signal,
    )
  const fails = async (url: string, signal?: AbortSignal): Promise<DeliveryError> => {
    try {
      await send(url, undefined, signal)
    } catch (error) {
      return error as DeliveryError
    }
    throw new Error('it did not fail')
  }
  return { send, fails }
}

test('parts are one body, packed as configured, with the headers of the configuration and the name in the URL', async (t) => {
  const { url, asked } = await scriptedHttp(t, reply(204))
  const { send } = await pusher(t, { headers: { 'X-Tenant': 'line-3' } })
  await send(url.replace('//', '//user:pass%20word@'))
  const { headers, body } = asked[0]!
  assert.deepEqual([body.toString(), headers['content-encoding'], headers['x-tenant']], ['ab', 'gzip', 'line-3'])
  assert.equal(headers.authorization, `Basic ${Buffer.from('user:pass word').toString('base64')}`)
})

test('a request without a body has no content-encoding', async (t) => {
  const { url, asked } = await scriptedHttp(t, reply(200))
  const { send } = await pusher(t)
  await send(url, [])
  assert.deepEqual([asked[0]!.body.length, asked[0]!.headers['content-encoding']], [0, undefined])
})

const answers: readonly (readonly [status: number, headers: Record<string, string>, retry: unknown])[] = [
  [429, { 'retry-after': '3' }, { afterMs: 3_000 }],
  [503, { 'retry-after': '3' }, { afterMs: 3_000 }],
  [503, {}, 'backoff'],
  [502, {}, 'backoff'],
  [504, { 'retry-after': '3' }, 'backoff'],
  [500, {}, 'never'],
  [400, {}, 'never'],
  [401, {}, 'never'],
  [301, { location: 'http://elsewhere/' }, 'never'],
]
for (const [status, headers, retry] of answers)
  test(`status ${status} with ${JSON.stringify(headers)}: ${JSON.stringify(retry)}`, async (t) => {
    const { url } = await scriptedHttp(t, reply(status, 'why not', headers))
    const { fails } = await pusher(t, {}, { words: ({ body }) => Buffer.from(body).toString() })
    const error = await fails(`${url}/write?token=secret`)
    assert.ok(error instanceof HttpRefusal)
    assert.deepEqual([error.code, error.retry, error.answer.status], ['NEXT_HOP_REFUSED', retry, status])
    assert.match(error.message, /\/write responded with HTTP Status Code \d+, Message=why not$/)
    assert.ok(!error.message.includes('secret'))
  })

const cuts: readonly (readonly [string, HttpReply])[] = [
  ['before its headers', (_, response) => void response.socket!.destroy()],
  [
    'in the middle of its body',
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"took":')
      setImmediate(() => response.socket!.destroy())
    },
  ],
]
for (const [where, answer] of cuts)
  test(`an answer that ends ${where} is none: the request may be sent again`, async (t) => {
    const { url } = await scriptedHttp(t, answer)
    const { fails } = await pusher(t)
    const { code, retry } = await fails(url)
    assert.deepEqual([code, retry], ['NEXT_HOP_NO_ANSWER', 'backoff'])
  })

test('nobody there, and somebody who does not speak HTTP: the request may be sent again', async (t) => {
  const server = createServer((socket) => socket.end('SSH-2.0\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const { fails } = await pusher(t)
  for (const url of [`http://127.0.0.1:${port}`, 'http://127.0.0.1:1']) {
    const { code, retry } = await fails(url)
    assert.deepEqual([code, retry], ['NEXT_HOP_NO_ANSWER', 'backoff'])
  }
})

test('one who never answers is left when the time is over, with the reason of the one who waited', async (t) => {
  const { url } = await scriptedHttp(t, () => {})
  const { fails } = await pusher(t)
  const controller = new AbortController()
  const failed = fails(url, controller.signal)
  const reason = new Error('no answer within 5 ms')
  setTimeout(() => controller.abort(reason), 5)
  const error = await failed
  assert.ok(error.message.includes('no answer within 5 ms'), error.message)
  assert.equal(error.retry, 'backoff')
})

test('what is shown of a URL has neither credentials nor a query', () => {
  assert.equal(shownUrl(new URL('http://u:p@host:8086/write?token=x')), 'http://host:8086/write')
})
