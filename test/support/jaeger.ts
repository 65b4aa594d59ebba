// A real Jaeger with its store in memory: v1 (all-in-one) or v2, each with OTLP and its own gRPC. Built by
// `npm run interop` (programs.ts), for that takes minutes.

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ownDirectory } from './disk.ts'
import { findProgram, type Program } from './programs.ts'
import { freePorts } from './router-process.ts'
import { until } from './until.ts'

export type JaegerVersion = 'v1' | 'v2'

/** The program, or why there is none, for `skip`. */
export const findJaeger = (version: JaegerVersion): Program | string => findProgram(`jaeger ${version}`)

/** As Jaeger's API answers; times in microseconds. */
export interface JaegerTag {
  readonly key: string
  readonly type: string
  readonly value: unknown
}
export interface JaegerSpan {
  readonly traceID: string
  readonly spanID: string
  readonly operationName: string
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[]
  readonly startTime: number
  readonly duration: number
  readonly tags: readonly JaegerTag[]
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly JaegerTag[] }[]
  readonly processID: string
}
export interface JaegerTrace {
  readonly spans: readonly JaegerSpan[]
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags: readonly JaegerTag[] }>>
}

export interface Jaeger {
  readonly otlp: string
  readonly grpc: string
  /** The trace, once it has that many spans. */
  trace(id: string, spans: number): Promise<JaegerTrace>
}

/** Started, and ended with the test. */
export async function startJaeger(t: TestContext, version: JaegerVersion): Promise<Jaeger> {
  const program = findJaeger(version)
  if (typeof program === 'string') throw new Error(program)
  const [otlp, otlpHttp, grpc, http, query, admin, queryGrpc] = (await freePorts(7)).map((port) => `127.0.0.1:${port}`)
  const child =
    version === 'v1'
      ? spawn(
          program.command,
          [
            `--collector.grpc-server.host-port=${grpc}`,
            `--collector.http-server.host-port=${http}`,
            `--collector.otlp.grpc.host-port=${otlp}`,
            `--collector.otlp.http.host-port=${otlpHttp}`,
            `--query.http-server.host-port=${query}`,
            `--query.grpc-server.host-port=${queryGrpc}`,
            `--admin.http.host-port=${admin}`,
          ],
          { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, SPAN_STORAGE_TYPE: 'memory' } },
        )
      : spawn(program.command, ['--config', configFile(t, { otlp, otlpHttp, grpc, query, queryGrpc })], {
          stdio: ['ignore', 'pipe', 'pipe'],
        })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (words) => (said += String(words)))
  t.after(() => stop(child))
  const get = async (path: string): Promise<Response | undefined> => {
    if (child.exitCode !== null) throw new Error(`Jaeger ended: ${said}`)
    return await fetch(`http://${query}${path}`).catch(() => undefined)
  }
  await until(async () => (await get('/api/services'))?.ok === true)
  return {
    otlp: otlp!,
    grpc: grpc!,
    async trace(id, spans) {
      let trace: JaegerTrace | undefined
      await until(async () => {
        const answer = await get(`/api/traces/${id}`)
        if (answer?.ok !== true) return false
        trace = ((await answer.json()) as { data: JaegerTrace[] }).data[0]
        return trace !== undefined && trace.spans.length >= spans
      })
      return trace!
    },
  }
}

function configFile(t: TestContext, at: Record<string, string | undefined>): string {
  const file = join(ownDirectory(t), 'jaeger.yaml')
  writeFileSync(
    file,
    `service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: { traces: { receivers: [otlp, jaeger], processors: [], exporters: [jaeger_storage_exporter] } }
  telemetry: { metrics: { level: none }, logs: { level: warn } }
extensions:
  jaeger_storage: { backends: { mem: { memory: { max_traces: 100000 } } } }
  jaeger_query:
    storage: { traces: mem }
    http: { endpoint: "${at.query}" }
    grpc: { endpoint: "${at.queryGrpc}" }
receivers:
  otlp: { protocols: { grpc: { endpoint: "${at.otlp}" }, http: { endpoint: "${at.otlpHttp}" } } }
  jaeger: { protocols: { grpc: { endpoint: "${at.grpc}" } } }
exporters:
  jaeger_storage_exporter: { trace_storage: mem }
`,
  )
  return file
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}
