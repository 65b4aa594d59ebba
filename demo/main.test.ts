import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../test/support/router-process.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

const listen = (port = 0): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
const portOf = (server: Server): number => (server.address() as { port: number }).port

function start(ports: readonly number[], ...flags: string[]) {
  const [grpc, http, metrics, mqtt, scrape] = ports
  const child = spawn(process.execPath, [main, ...flags], {
    env: {
      ...process.env,
      MILLRACE_GRPC_ENDPOINT: `127.0.0.1:${grpc}`,
      MILLRACE_HTTP_ENDPOINT: `127.0.0.1:${http}`,
      MILLRACE_METRICS_PORT: `${metrics}`,
      MILLRACE_MQTT_ENDPOINT: `127.0.0.1:${mqtt}`,
      MILLRACE_SCRAPE_ENDPOINT: `127.0.0.1:${scrape}`,
    },
  })
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output.text += text
    })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, output, ended }
}

/** in, delivered, refused, dropped, unsettled of a pipeline in the totals. */
const totalsOf = (text: string, pipeline: string): number[] =>
  (new RegExp(`^${pipeline} +([\\d ]+)$`, 'm').exec(text)?.[1] ?? '')
    .trim()
    .split(/ {2,}/)
    .map((n) => Number(n.replaceAll(' ', '')))

// They wait for a plant more than they do anything.
describe('the demo', { concurrency: true }, () => {
  test('without a terminal the demo prints plain lines, and its totals say that everything arrived', async () => {
    const { output, ended } = start(await freePorts(5), '--seconds', '3')
    assert.equal(await ended, 0, output.text)
    assert.match(output.text, /OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127\.0\.0\.1:\d+/)
    assert.ok(!output.text.includes('\x1b'))
    for (const pipeline of ['metrics/devices', 'logs/devices', 'traces', 'metrics', 'logs']) {
      const [received = 0, delivered, refused, dropped, unsettled] = totalsOf(output.text, pipeline)
      assert.ok(received > 0, output.text)
      assert.deepEqual([delivered, refused, dropped, unsettled], [received, 0, 0, 0], output.text)
    }
  })

  for (const { when, said } of [
    { when: 'as soon as the demo says its first words', said: 'Telemetry is kept' },
    { when: 'once it has said where to send', said: 'Point a service' },
  ])
    test(`Ctrl-C ${when} drains and prints the totals`, async () => {
      const { child, output, ended } = start(await freePorts(5))
      child.stdout.on('data', function interrupt() {
        if (!output.text.includes(said)) return
        child.stdout.off('data', interrupt)
        child.kill('SIGINT')
      })
      assert.equal(await ended, 0, output.text)
      assert.match(output.text, /Draining\.\.\.\nTotals after/)
    })

  test('a taken port is said in words, and nothing starts', async (t) => {
    const taken = await listen()
    t.after(() => taken.close())
    const [http = 0, metrics = 0, mqtt = 0, scrape = 0] = await freePorts(4)
    const { output, ended } = start([portOf(taken), http, metrics, mqtt, scrape])
    assert.equal(await ended, 1)
    assert.match(output.text, /is taken by another program/)
    assert.match(output.text, /MILLRACE_GRPC_ENDPOINT=127\.0\.0\.1:\d+ npm start/)
  })
})
