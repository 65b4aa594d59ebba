import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rig } from '../../../test/support/harness.ts'
import { EndpointLabels, EndpointMeters, MAX_NAMED_ENDPOINTS, OTHER_ENDPOINTS } from './endpoint-meter.ts'

test('endpoints that come and go for months have a bounded number of names, and one that returns has its own again', () => {
  const labels = new EndpointLabels()
  const names = new Set<string>()
  for (let i = 0; i < 10_000; i++) names.add(labels.nameFor(`10.0.${i >> 8}.${i & 255}`))
  assert.equal(names.size, MAX_NAMED_ENDPOINTS + 1)
  assert.equal(labels.nameFor('10.0.0.1'), '10.0.0.1')
  assert.equal(labels.nameFor('10.0.30.1'), OTHER_ENDPOINTS)
})

test('a gauge is shown while an endpoint reads it, and two of one name are one value', () => {
  const { context, metric } = rig()
  const meters = new EndpointMeters(context('exporter', 'load_balancing').meter)
  const first = meters.meterFor({ exporter: 'otlp_grpc/a' })
  const second = meters.meterFor({ exporter: 'otlp_grpc/a' })
  first.meter.observe('queue', '{request}', 'Waiting.', () => 3)
  second.meter.observe('queue', '{request}', 'Waiting.', () => 4)
  first.meter.observe('healthy', '1', 'Healthy.', () => 1, { merge: 'min' })
  second.meter.observe('healthy', '1', 'Healthy.', () => 1, { merge: 'min' })
  assert.equal(metric('queue', { exporter: 'otlp_grpc/a' }), 7)
  assert.equal(metric('healthy'), 1)
  first.release()
  assert.equal(metric('queue'), 4)
  second.release()
  assert.equal(metric('queue'), undefined)
  meters.meterFor({ exporter: 'otlp_grpc/a' }).meter.observe('queue', '{request}', 'Waiting.', () => 5)
  assert.equal(metric('queue'), 5)
})
