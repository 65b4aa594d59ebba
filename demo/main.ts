// `npm start`: the router on configs/plant.yaml with its broker, a plant of devices and services that send to it, and a live
// view.
//
//   node demo/main.ts [--seconds N] [--stores]
//
// N: end by itself, for a look in a pipe or in CI. Without --stores nothing is sent to Jaeger, InfluxDB and Elasticsearch, of which
// a first run has none.

import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildInfo } from '../src/build.ts'
import { systemClock } from '../src/graph/clock.ts'
import { Router } from '../src/router.ts'
import { LiveView } from '../src/ui/live.ts'
import { renderTotals } from '../src/ui/terminal.ts'
import { describeTakenPorts, readAddress } from './ports.ts'

/** How long the plant may take to send what it holds. */
const PLANT_STOPS_WITHIN_MS = 5_000

/** The pipelines as they are in the file, but for the exporters that need a server. */
const WITHOUT_STORES = ['metrics/devices', 'logs/devices', 'traces', 'metrics', 'logs'].map(
  (pipeline) =>
    `service.pipelines.${pipeline}.exporters=[debug, file${pipeline.startsWith('metrics') ? ', prometheus' : ''}]`,
)

const { values } = parseArgs({ options: { seconds: { type: 'string' }, stores: { type: 'boolean' } } })
process.chdir(fileURLToPath(new URL('..', import.meta.url)))
mkdirSync('out', { recursive: true })

const grpc = process.env.MILLRACE_GRPC_ENDPOINT ?? 'localhost:4317'
const http = process.env.MILLRACE_HTTP_ENDPOINT ?? 'localhost:4318'
const mqtt = process.env.MILLRACE_MQTT_ENDPOINT ?? 'localhost:1883'
const scrape = process.env.MILLRACE_SCRAPE_ENDPOINT ?? 'localhost:8889'
const metricsPort = Number(process.env.MILLRACE_METRICS_PORT ?? 8888)
const taken = await describeTakenPorts([
  ...[
    { use: 'MQTT', endpoint: mqtt, variable: 'MILLRACE_MQTT_ENDPOINT' },
    { use: 'OTLP/gRPC', endpoint: grpc, variable: 'MILLRACE_GRPC_ENDPOINT' },
    { use: 'OTLP/HTTP', endpoint: http, variable: 'MILLRACE_HTTP_ENDPOINT' },
  ].map(({ use, endpoint, variable }) => {
    const address = readAddress(endpoint)
    return { use, variable, ...address, value: (port: number) => endpoint.replace(/\d+$/, String(port)) }
  }),
  {
    use: 'metrics for Prometheus',
    variable: 'MILLRACE_SCRAPE_ENDPOINT',
    ...readAddress(scrape),
    value: (port: number) => scrape.replace(/\d+$/, String(port)),
  },
  { use: 'own metrics', host: 'localhost', port: metricsPort, variable: 'MILLRACE_METRICS_PORT', value: String },
])
if (taken.length > 0) {
  console.error(taken.join('\n'))
  process.exit(1)
}

// Signals are heard before anything starts: what comes while the router starts is done once it has started. The second
// Ctrl-C is for those who cannot wait.
let stopRequested: () => void
const stopRequest = new Promise<void>((resolve) => {
  stopRequested = resolve
})
let stopping = false
function requestStop(): void {
  if (stopping) process.exit(130)
  stopping = true
  stopRequested()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, requestStop)

const router = await Router.start(
  {
    configs: ['configs/plant.yaml'],
    // The screen belongs to the live view.
    sets: ['service.telemetry.logs.output_paths=[out/millrace.log]', ...(values.stores ? [] : WITHOUT_STORES)],
    liveView: true,
  },
  buildInfo,
).catch((error: Error) => {
  console.error(error.message)
  process.exit(1)
})

const plant = fork(fileURLToPath(new URL('./plant.ts', import.meta.url)), {
  env: {
    ...process.env,
    PLANT_BROKER: `mqtt://${mqtt}`,
    PLANT_GRPC_ENDPOINT: `http://${grpc}`,
    PLANT_HTTP_ENDPOINT: `http://${http}`,
  },
})
plant.once('exit', (code) => {
  if (!stopping) console.error(`The plant ended with exit code ${code}; the router goes on.`)
})
const view = new LiveView({
  screen: process.stdout,
  clock: systemClock,
  env: process.env,
  take: () => router.snapshot(),
})
console.log(
  `Telemetry is kept in out/plant.jsonl, the log of the router in out/millrace.log. Devices of your own: mqtt://${mqtt}\n` +
    `For Prometheus: http://${scrape}/metrics\n`,
)
await view.start()

/** Lets the plant send its last messages and spans while the router still takes them. */
function stopPlant(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || !child.connected) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), PLANT_STOPS_WITHIN_MS)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.disconnect()
  })
}

// From the moment on when the plant speaks: on a busy machine it takes its time.
const { seconds } = values
if (seconds !== undefined) plant.once('message', () => setTimeout(requestStop, Number(seconds) * 1000))

await stopRequest
view.stop()
console.log('\nDraining...')
await stopPlant(plant)
console.log(renderTotals(await router.stop()).join('\n'))
process.exit(0)
