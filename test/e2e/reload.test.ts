// A router that is reloaded while numbered spans pass: everything that was answered arrives once, nothing is refused, and
// the connections of the receiver that stays are never closed.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { type ClientHttp2Session, connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { startOtlpRecorder } from '../support/otlp-recorder.ts'
import { freePorts, type RouterProcess, startProcess } from '../support/router-process.ts'

const RUNS = 'The new configuration runs.'
const REFUSED = 'The new configuration was not taken'

const spans = (name: string): Uint8Array =>
  jsonToBytes(
    'traces',
    JSON.stringify({
      resourceSpans: [
        {
          scopeSpans: [{ spans: [{ traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '0102030405060708', name }] }],
        },
      ],
    }),
  )

/** Sends numbered spans, some at a time, over one connection, until it is told to end. */
interface Numbered {
  /** What was answered with success. */
  readonly answered: string[]
  readonly problems: string[]
  end(): Promise<void>
}

async function sendNumbered(name: string, parallel: number, send: (bytes: Uint8Array) => Promise<void>) {
  const answered: string[] = []
  const problems: string[] = []
  let next = 0
  let over = false
  const lanes = Array.from({ length: parallel }, async () => {
    while (!over) {
      const span = `${name}-${next++}`
      try {
        await send(spans(span))
        answered.push(span)
      } catch (error) {
        problems.push(`${span}: ${(error as Error).message}`)
        await sleep(5)
      }
    }
  })
  const numbered: Numbered = {
    answered,
    problems,
    async end() {
      over = true
      await Promise.all(lanes)
    },
  }
  return numbered
}

/** One HTTP/2 connection; its end, and a GOAWAY, are problems. */
async function grpcSender(t: TestContext, port: number): Promise<Numbered> {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`)
  t.after(() => session.destroy())
  const send = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      let status: unknown
      stream.on('response', (headers) => {
        status = headers['grpc-status']
      })
      stream.on('trailers', (trailers) => {
        status = trailers['grpc-status']
      })
      stream.on('error', reject)
      stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`grpc-status ${String(status)}`))))
      stream.resume()
      const head = Buffer.alloc(5)
      head.writeUInt32BE(bytes.byteLength, 1)
      stream.end(Buffer.concat([head, bytes]))
    })
  const sender = await sendNumbered('grpc', 3, send)
  session.on('error', (error) => sender.problems.push(error.message))
  session.on('goaway', () => sender.problems.push('GOAWAY'))
  session.on('close', () => sender.problems.push('the connection was closed'))
  return sender
}

/** One HTTP connection after the other, and only one where none is closed. */
async function httpSender(t: TestContext, port: number): Promise<Numbered & { connections(): number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const sockets = new Set<unknown>()
  const send = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': bytes.byteLength }
      const call = request(
        { agent, host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', headers },
        (answer) => {
          answer.resume()
          answer.on('end', () =>
            answer.statusCode === 200 ? resolve() : reject(new Error(`status ${answer.statusCode}`)),
          )
        },
      )
      call.on('socket', (socket) => sockets.add(socket))
      call.on('error', reject)
      call.end(bytes)
    })
  return { ...(await sendNumbered('http', 1, send)), connections: () => sockets.size }
}

interface Settings {
  readonly grpc: number
  readonly http: number
  readonly other: number
  readonly metrics: number
  readonly sink: string
  readonly timeout?: string
  readonly consumers?: number
  readonly level?: string
  /** A second pipeline with an exporter of its own. */
  readonly second?: string
  readonly bodySize?: string
  readonly extra?: string
}

const yamlOf = (s: Settings): string => `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${s.grpc}" }
      http: { endpoint: "127.0.0.1:${s.http}"${s.bodySize === undefined ? '' : `, max_request_body_size: ${s.bodySize}`} }
  otlp/other: { protocols: { http: { endpoint: "127.0.0.1:${s.other}" } } }
processors:
  batch: { timeout: ${s.timeout ?? '20ms'} }
  memory_limiter: { check_interval: 1s, limit_mib: 4000 }
exporters:
  otlp_grpc: { endpoint: "${s.sink}", tls: { insecure: true }, sending_queue: { num_consumers: ${s.consumers ?? 4} } }
${s.second === undefined ? '' : `  otlp_http/second: { endpoint: "http://${s.second}" }`}
service:
  telemetry:
    logs: { level: ${s.level ?? 'info'} }
    metrics: { readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${s.metrics} } } } } ] }
  pipelines:
    traces: { receivers: [otlp, otlp/other], processors: [memory_limiter, batch], exporters: [otlp_grpc] }
${s.second === undefined ? '' : '    traces/2: { receivers: [otlp], processors: [memory_limiter], exporters: [otlp_http/second] }'}
${s.extra ?? ''}`

/** Resolves when the router has said `text` once more than it has by now. */
async function saysAgain(router: RouterProcess, text: string, act: () => void): Promise<void> {
  const count = (): number => router.said().split(text).length
  const before = count()
  act()
  for (const until = performance.now() + 15_000; count() === before; await sleep(5))
    assert.ok(performance.now() < until, `did not say ${text}:\n${router.said()}`)
}

/** Resolves when each sender has had some more answers. */
async function goesOn(router: RouterProcess, senders: readonly Numbered[]): Promise<void> {
  const wanted = senders.map(({ answered }) => answered.length + 10)
  for (const until = performance.now() + 15_000; senders.some((s, i) => s.answered.length < wanted[i]!); await sleep(5))
    assert.ok(
      performance.now() < until,
      `a sender gets no answers: ${senders.map((s) => s.problems)}\n${router.said()}`,
    )
}

const namesIn = (requests: readonly { readonly request: { resourceSpans: unknown[] } }[]): string[] =>
  requests.flatMap(({ request }) =>
    // biome-ignore lint/suspicious/noExplicitAny: a decoded request
    (request.resourceSpans as any[]).flatMap((r) => r.scopeSpans.flatMap((s: any) => s.spans.map((x: any) => x.name))),
  )

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-reload-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('reloads under load lose nothing, repeat nothing, refuse nothing, and close no connection of what stays', async (t) => {
  const [grpc, http, other, moved, metrics] = (await freePorts(5)) as [number, number, number, number, number]
  const sink = await startOtlpRecorder(t)
  const second = await startOtlpRecorder(t)
  const file = join(folder(t), 'router.yaml')
  const base: Settings = { grpc, http, other, metrics, sink: sink.grpcAddress }
  writeFileSync(file, yamlOf(base))
  const router = startProcess(t, ['--config', file])
  await router.until('Everything is ready')
  const senders = [await grpcSender(t, grpc), await httpSender(t, http)] as const
  const reload = async (text: string, outcome = RUNS): Promise<void> => {
    await goesOn(router, senders)
    writeFileSync(file, text)
    await saysAgain(router, outcome, () => router.process.kill('SIGHUP'))
  }

  await reload(yamlOf(base))
  await reload(yamlOf({ ...base, timeout: '10ms' }))
  await reload(yamlOf({ ...base, second: second.httpAddress }))
  await reload(yamlOf({ ...base, consumers: 7 }))
  await reload(yamlOf({ ...base, other: moved }))
  await assert.rejects(fetch(`http://127.0.0.1:${other}/v1/traces`, { method: 'POST' }))
  await reload(yamlOf({ ...base, other: moved }).replace('timeout:', 'timeuot:'), REFUSED)
  await reload(yamlOf({ ...base, other: moved, level: 'debug' }))
  const holder = await startOtlpRecorder(t)
  await reload(yamlOf({ ...base, other: Number(holder.httpAddress.split(':')[1]), timeout: '30ms' }), REFUSED)
  assert.equal(
    (
      await fetch(`http://127.0.0.1:${moved}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
    ).status,
    200,
  )

  await Promise.all(senders.map((sender) => sender.end()))
  const answered = senders.flatMap((sender) => sender.answered)
  assert.deepEqual(
    senders.flatMap((sender) => sender.problems),
    [],
  )
  assert.equal(senders[1].connections(), 1)
  const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
  assert.match(text, /^otelcol_config_reloads\{result="ok"\} 6$/m)
  assert.match(text, /^otelcol_config_reloads\{result="refused"\} 2$/m)
  // Counted from the start, through all reloads; what is gone is not shown any more.
  const accepted = [...text.matchAll(/^otelcol_receiver_accepted_spans\{receiver="otlp",.*\} (\d+)$/gm)]
  assert.equal(
    accepted.reduce((sum, [, value]) => sum + Number(value), 0),
    answered.length,
  )
  assert.ok(!text.includes('otlp_http/second'), text)
  assert.match(text, /^otelcol_exporter_queue_capacity\{data_type="traces",exporter="otlp_grpc"\} 1000$/m)

  assert.equal(await router.stop('SIGTERM'), 0, router.said())
  const arrived = namesIn(sink.requests)
  assert.equal(new Set(arrived).size, arrived.length, 'something arrived twice')
  const set = new Set(arrived)
  assert.deepEqual(
    answered.filter((name) => !set.has(name)),
    [],
  )
  assert.equal(arrived.length, answered.length)
  assert.ok(namesIn(second.requests).length > 0, 'the second pipeline saw nothing')
})

test('a receiver that changed hands its port over: clients that connect again lose nothing', async (t) => {
  const [grpc, http, other, metrics] = (await freePorts(4)) as [number, number, number, number]
  const sink = await startOtlpRecorder(t)
  const file = join(folder(t), 'router.yaml')
  const base: Settings = { grpc, http, other, metrics, sink: sink.grpcAddress }
  writeFileSync(file, yamlOf(base))
  const router = startProcess(t, ['--config', file])
  await router.until('Everything is ready')
  const sender = await httpSender(t, http)
  await goesOn(router, [sender])
  for (const bodySize of ['1MiB', '2MiB', '3MiB']) {
    writeFileSync(file, yamlOf({ ...base, bodySize }))
    await saysAgain(router, RUNS, () => router.process.kill('SIGHUP'))
    await goesOn(router, [sender])
  }
  await sender.end()
  assert.equal(await router.stop('SIGTERM'), 0, router.said())
  const answers = sender.problems.filter((problem) => problem.includes('status'))
  assert.deepEqual(answers, [], 'a request was refused')
  const arrived = new Set(namesIn(sink.requests))
  assert.deepEqual(
    sender.answered.filter((name) => !arrived.has(name)),
    [],
  )
  assert.ok(sender.connections() > 1)
})

test('what waits for a back end that cannot be reached goes to the right one, once the file names it', async (t) => {
  const sink = await startOtlpRecorder(t)
  const [grpc, http, other, metrics] = (await freePorts(4)) as [number, number, number, number]
  const file = join(folder(t), 'router.yaml')
  const base: Settings = { grpc, http, other, metrics, sink: '127.0.0.1:1' }
  writeFileSync(file, yamlOf(base))
  const router = startProcess(t, ['--config', file])
  await router.until('Everything is ready')
  const sender = await httpSender(t, http)
  await goesOn(router, [sender])
  await router.until('Will retry the request')
  writeFileSync(file, yamlOf({ ...base, sink: sink.grpcAddress }))
  await saysAgain(router, RUNS, () => router.process.kill('SIGHUP'))
  await goesOn(router, [sender])
  await sender.end()
  assert.equal(await router.stop('SIGTERM'), 0, router.said())
  assert.match(router.said(), /The new exporter takes over what the old one had not sent/)
  assert.deepEqual([sender.problems, sender.connections()], [[], 1])
  assert.deepEqual(namesIn(sink.requests).sort(), [...sender.answered].sort())
})

test('--watch sees an edit, a replaced file and the link that Kubernetes swaps; admin shows what runs and what was refused', async (t) => {
  const [grpc, http, other, metrics, admin] = (await freePorts(5)) as [number, number, number, number, number]
  const at = folder(t)
  const extra = `  extensions: [admin]\nextensions: { admin: { endpoint: "127.0.0.1:${admin}" } }`
  const base: Settings = { grpc, http, other, metrics, sink: '127.0.0.1:1', extra }
  const file = join(at, 'router.yaml')
  const publish = (version: string, text: string): void => {
    mkdirSync(join(at, version))
    writeFileSync(join(at, version, 'router.yaml'), text)
    symlinkSync(version, join(at, '..data_tmp'))
    renameSync(join(at, '..data_tmp'), join(at, '..data'))
  }
  publish('..1', yamlOf(base))
  symlinkSync(join('..data', 'router.yaml'), file)
  const router = startProcess(t, ['--config', file, '--watch'])
  await router.until('Everything is ready')
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${admin}/-/${path}`, init)
    return { status: response.status, text: await response.text() }
  }

  await saysAgain(router, RUNS, () => publish('..2', yamlOf({ ...base, timeout: '77ms' })))
  assert.match((await get('config')).text, /timeout: 77ms/)
  await saysAgain(router, REFUSED, () => writeFileSync(file, yamlOf(base).replace('timeout:', 'timeuot:')))
  const status = JSON.parse((await get('status')).text)
  assert.equal(status.last_reload.ok, false)
  assert.match(status.last_reload.problem, /CONFIG_UNKNOWN_KEY processors.batch.timeuot/)
  assert.match((await get('config')).text, /timeout: 77ms/)
  await saysAgain(router, RUNS, () => {
    writeFileSync(join(at, 'new'), yamlOf({ ...base, timeout: '88ms' }))
    renameSync(join(at, 'new'), file)
  })
  assert.match((await get('config')).text, /timeout: 88ms/)

  const asked = await get('reload', { method: 'POST' })
  assert.equal(asked.status, 200)
  assert.deepEqual(JSON.parse(asked.text).started, [])
  // Its own configuration may change, too: who asked is answered by the one that goes.
  writeFileSync(file, yamlOf({ ...base, extra: extra.replace(' }', ', response_headers: { x-new: "1" } }') }))
  const own = await get('reload', { method: 'POST' })
  assert.equal(own.status, 200, own.text)
  assert.equal((await fetch(`http://127.0.0.1:${admin}/-/status`)).headers.get('x-new'), '1')
  assert.equal(await router.stop('SIGTERM'), 0, router.said())
})
