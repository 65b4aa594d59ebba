import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { harness } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import { SIGNALS, type Signal } from '../../otlp/signal.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'

const LIST = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  profiles: ['resourceProfiles', 'scopeProfiles', 'profiles'],
} as const satisfies Record<Signal, readonly [string, string, string]>

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } })

/** The resources of a request after some actions. */
async function act(t: TestContext, signal: Signal, attributes: object[], resources: object[]): Promise<unknown[]> {
  const { push, sent } = await harness(t, factory, { attributes }, { signal })
  const [list, scopes, items] = LIST[signal]
  push({ [list]: resources.map((resource) => ({ ...resource, [scopes]: [{ [items]: [{}] }] })) })
  return JSON.parse(bytesToJson(signal, sent[0]!.parts))[list].map((r: { resource?: unknown }) => r.resource)
}

for (const signal of SIGNALS) {
  test(`every resource of ${signal} is edited, also one that was not there`, async (t) => {
    const actions = [
      { key: 'plant.id', value: 'north', action: 'upsert' },
      { key: 'host.name', action: 'delete' },
    ]
    const resources = await act(t, signal, actions, [
      { resource: { attributes: [attribute('host.name', 'a'), attribute('service.name', 'b')] } },
      { resource: {} },
      {},
    ])
    assert.deepEqual(resources, [
      { attributes: [attribute('service.name', 'b'), attribute('plant.id', 'north')] },
      { attributes: [attribute('plant.id', 'north')] },
      { attributes: [attribute('plant.id', 'north')] },
    ])
  })
}

test('a resource that is not there stays so when nothing is added', async (t) => {
  assert.deepEqual(await act(t, 'traces', [{ key: 'a', action: 'delete' }], [{}]), [undefined])
})

test('a resource given in pieces is one map', async (t) => {
  const { push, sent } = await harness(t, factory, {
    attributes: [
      { key: 'a', value: 'new', action: 'insert' },
      { key: 'b', value: 'new', action: 'update' },
    ],
  })
  // ResourceSpans { resource { a: 1 } resource { b: 2 } }: protobuf merges the two, their attributes are one list.
  const piece = (key: string, value: string) => [
    10,
    10,
    10,
    8,
    10,
    1,
    key.charCodeAt(0),
    18,
    3,
    10,
    1,
    value.charCodeAt(0),
  ]
  const resource = [...piece('a', '1'), ...piece('b', '2')]
  push(Uint8Array.from([10, resource.length, ...resource]))
  const { resourceSpans } = JSON.parse(bytesToJson('traces', sent[0]!.parts))
  assert.deepEqual(resourceSpans[0].resource.attributes, [attribute('a', '1'), attribute('b', 'new')])
})

test('without actions the configuration is refused', () => {
  assert.throws(() => parseConfig(config, { attributes: [] }), /there is no action/)
  assert.throws(() => parseConfig(config, {}), /attributes is missing/)
})
