// Sparkplug with real parts: mosquitto, and an edge node made with Eclipse Tahu's JavaScript client.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { parseConfig } from '../../src/config/testing.ts'
import { systemClock } from '../../src/graph/clock.ts'
import type { Batch } from '../../src/otlp/batch.ts'
import { bytesToJson } from '../../src/otlp/json/index.ts'
import { factory } from '../../src/receivers/mqtt/factory.ts'
import { rig } from '../support/harness.ts'
import { mosquitto, mosquittoMissing } from '../support/mosquitto.ts'
import { findProgram, type Program } from '../support/programs.ts'
import { freePorts } from '../support/router-process.ts'
import { until } from '../support/until.ts'

const program = findProgram('sparkplug edge-node')
const skip = mosquittoMissing() || (typeof program === 'string' ? program : false)

function edgeNode(t: TestContext, port: number): ChildProcess {
  const { command, args } = program as Program
  const child = spawn(command, [...args, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  return child
}

async function host(t: TestContext, port: number, clientId: string, sparkplug: object) {
  const points: string[] = []
  const events: string[] = []
  const out = {
    send(batch: Batch) {
      const request = JSON.parse(bytesToJson(batch.signal, batch.parts))
      for (const { resource, scopeMetrics } of request.resourceMetrics ?? [])
        for (const metric of scopeMetrics[0].metrics) {
          const point = (metric.gauge ?? metric.sum).dataPoints[0]
          const value = point.asDouble ?? point.asInt ?? (point.flags === 1 ? 'stale' : '?')
          points.push(`${deviceOf(resource)} ${metric.name}=${value}${metric.unit ?? ''}`)
        }
      for (const { resource, scopeLogs } of request.resourceLogs ?? [])
        for (const record of scopeLogs[0].logRecords)
          events.push(`${deviceOf(resource)} ${record.eventName ?? record.body.stringValue}`)
      batch.delivery.deliver()
    },
  }
  const cfg = parseConfig(factory.config, {
    brokers: [`127.0.0.1:${port}`],
    client_id: clientId,
    topics: [{ topic: 'spBv1.0/#', decoder: 'sparkplug_b' }],
    sparkplug,
  })
  const context = { ...rig().context('receiver', 'mqtt'), clock: systemClock, outputs: { metrics: out, logs: out } }
  const receiver = await factory.create(cfg, context)
  t.after(() => receiver.stop?.(AbortSignal.timeout(1_000)))
  await receiver.start?.()
  return { points, events, receiver }
}

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON
const deviceOf = ({ attributes }: any): string =>
  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
  attributes.find(({ key }: any) => key === 'device.id')?.value.stringValue

test('births, data and deaths of a real edge node become readings, events and ended series', { skip }, async (t) => {
  const [port] = await freePorts(1)
  await mosquitto(t, port!)
  const { points, events } = await host(t, port!, 'first', { role: 'primary', host_id: 'scada' })
  await until(() => points.some((line) => line.includes('sparkplug.host.up=1')))
  const node = edgeNode(t, port!)
  await until(() => points.includes('Press Motor/Speed=1.5{revolution}/min'))
  assert.ok(points.includes('Edge Offset=-12'))
  assert.ok(points.includes('Press Count=7'))
  assert.ok(events.includes('Press IDLE'))
  node.stdin!.write('2.5\n3.5\n')
  await until(() => points.includes('Press Motor/Speed=3.5{revolution}/min'))
  node.stdin!.end()
  await until(() => events.includes('Edge manufacturing.device.offline'))
  for (const ended of ['Press Motor/Speed=stale{revolution}/min', 'Press Count=stale', 'Edge Offset=stale'])
    assert.ok(points.includes(ended), ended)
})

test('a host that comes later asks a real edge node for its births, and gets them', { skip }, async (t) => {
  const [port] = await freePorts(1)
  await mosquitto(t, port!)
  const node = edgeNode(t, port!)
  let said = ''
  node.stdout!.on('data', (text) => (said += String(text)))
  await until(() => said.includes('born'))
  const { points } = await host(t, port!, 'late', { role: 'secondary_active' })
  let value = 10
  await until(() => {
    if (points.includes('Edge Offset=-12') && points.includes('Press Count=7')) return true
    node.stdin!.write(`${value++}\n`)
    return false
  })
})

test('hosts see in a real broker that a primary is there, and that it has gone', { skip }, async (t) => {
  const [port] = await freePorts(1)
  await mosquitto(t, port!)
  const watcher = await host(t, port!, 'watcher', {})
  const states = () => watcher.points.filter((line) => line.includes('sparkplug.host.up'))
  const primary = await host(t, port!, 'primary', { role: 'primary', host_id: 'scada' })
  await until(() => states().at(-1)?.includes('=1') === true)
  await primary.receiver.stop?.(AbortSignal.timeout(5_000))
  await until(() => states().at(-1)?.includes('=0') === true)
})
