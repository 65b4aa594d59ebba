// The same actions on bytes and, naively, on objects: random requests of every signal through both.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  decode,
  encode,
  encodeMessage,
  type PlainMessage,
  REQUEST_NAME,
  requestArbitrary,
} from '../../test/support/oracle.ts'
import { chooser, scramble } from '../../test/support/scramble.ts'
import { parseConfig } from '../config/testing.ts'
import { SIGNALS, type Signal } from '../otlp/signal.ts'
import { ValueView } from '../otlp/value.ts'
import { Walk } from '../otlp/walk.ts'
import { type ActionConfig, actionConfig } from './action-config.ts'
import { AttributeActions } from './actions.ts'

interface KeyValue {
  key: string
  value: PlainMessage
}

const KEYS = ['', 'service.name', 'naïve', '価格', 'x'.repeat(127), 'x'.repeat(128), 'other']
const key = fc.constantFrom(...KEYS.slice(1))
const source = fc.oneof(
  fc.record({ value: fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant('y'.repeat(200))) }),
  fc.record({ from_attribute: key }),
  fc.record({ from_attribute: key, default_value: fc.integer() }),
)
const action = fc.oneof(
  fc
    .tuple(key, fc.constantFrom('insert', 'update', 'upsert'), source)
    .map(([k, name, from]) => ({ key: k, action: name, ...from })),
  fc.record({ key, action: fc.constantFrom('delete', 'hash') }),
  fc.record({ pattern: fc.constantFrom('^s', 'x', 'ï|価', '^$'), action: fc.constantFrom('delete', 'hash') }),
  fc.record({
    key,
    action: fc.constant('extract'),
    pattern: fc.constantFrom('(?P<other>.)', '(?P<other>.)(?:(?P<second>x)|.)'),
  }),
  fc.record({ key, action: fc.constant('convert'), converted_type: fc.constantFrom('string', 'int', 'double') }),
)

const actions = fc.array(action, { minLength: 1, maxLength: 5 })

const ANY_VALUE = 'opentelemetry.proto.common.v1.AnyValue'

function textOf(value: PlainMessage): string {
  const bytes = encodeMessage(ANY_VALUE, value)
  return new ValueView().reset(bytes, 0, bytes.length).toText()
}

function naiveHash(value: PlainMessage): PlainMessage {
  const eight = new DataView(new ArrayBuffer(8))
  let bytes = new Uint8Array(eight.buffer)
  if (value.stringValue !== undefined) bytes = new Uint8Array(Buffer.from(value.stringValue as string))
  else if (value.boolValue !== undefined) bytes = Uint8Array.of(value.boolValue ? 1 : 0)
  else if (value.intValue !== undefined) eight.setBigInt64(0, value.intValue as bigint, true)
  else if (value.doubleValue !== undefined) eight.setFloat64(0, value.doubleValue as number, true)
  else return { stringValue: '' }
  return { stringValue: createHash('sha256').update(bytes).digest('hex') }
}

function naiveConvert(value: PlainMessage, to: string): PlainMessage {
  const [kind] = Object.keys(value)
  const held = kind === undefined ? undefined : value[kind]
  if (to === 'string') return kind === 'stringValue' ? value : { stringValue: textOf(value) }
  if (kind === 'boolValue') return to === 'int' ? { intValue: held ? 1n : 0n } : { doubleValue: held ? 1 : 0 }
  if (to === 'int' && kind === 'doubleValue') {
    const whole = Math.trunc(held as number)
    return { intValue: whole >= -(2 ** 63) && whole < 2 ** 63 ? BigInt(whole) : -(2n ** 63n) }
  }
  if (to === 'double' && kind === 'intValue') return { doubleValue: Number(held) }
  if (kind !== 'stringValue') return value
  const text = held as string
  if (to === 'double') return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text) ? { doubleValue: Number(text) } : value
  if (/^-?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)) return { intValue: BigInt(text) }
  return value
}

function naive(list: KeyValue[], config: ActionConfig): KeyValue[] {
  const find = (wanted: string) => list.find((entry) => entry.key === wanted)
  const put = (wanted: string, value: PlainMessage): void => {
    const entry = find(wanted)
    if (entry === undefined) list.push({ key: wanted, value })
    else entry.value = value
  }
  const pattern = config.pattern === undefined ? undefined : new RegExp(config.pattern.replaceAll('?P<', '?<'), 'u')
  const literal = (value: unknown): PlainMessage =>
    typeof value === 'string'
      ? { stringValue: value }
      : typeof value === 'boolean'
        ? { boolValue: value }
        : { intValue: BigInt(value as number) }
  switch (config.action) {
    case 'insert':
    case 'update':
    case 'upsert': {
      const from = config.fromAttribute === undefined ? undefined : find(config.fromAttribute)?.value
      const given = from ?? config.value ?? config.defaultValue
      if (
        given === undefined ||
        (find(config.key) === undefined ? config.action === 'update' : config.action === 'insert')
      )
        return list
      put(config.key, from ?? literal(given))
      return list
    }
    case 'delete':
      return list.filter((entry) => (pattern === undefined ? entry.key !== config.key : !pattern.test(entry.key)))
    case 'hash': {
      const hit = pattern === undefined ? [find(config.key)] : list.filter((entry) => pattern.test(entry.key))
      for (const entry of hit) if (entry !== undefined) entry.value = naiveHash(entry.value)
      return list
    }
    case 'extract': {
      const text = find(config.key)?.value.stringValue
      const groups = typeof text === 'string' ? pattern!.exec(text)?.groups : undefined
      for (const [name, value] of Object.entries(groups ?? {})) put(name, { stringValue: value ?? '' })
      return list
    }
    case 'convert': {
      const entry = find(config.key)
      if (entry !== undefined) entry.value = naiveConvert(entry.value, config.convertedType!)
      return list
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: messages of every type pass through here
type Tree = { [key: string]: any }

/** Every message of a request that has attributes which the processors edit. */
function* holders(signal: Signal, request: Tree, level: 'resource' | 'item'): Generator<Tree> {
  const [resources, scopes, items] = {
    traces: ['resourceSpans', 'scopeSpans', 'spans'],
    metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
    logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
    profiles: ['resourceProfiles', 'scopeProfiles', 'profiles'],
  }[signal] as [string, string, string]
  for (const resource of request[resources] ?? []) {
    if (level === 'resource') {
      resource.resource ??= {}
      yield resource.resource
      continue
    }
    for (const scope of resource[scopes] ?? []) {
      for (const item of scope[items] ?? []) {
        if (signal !== 'metrics') yield item
        const data = item.gauge ?? item.sum ?? item.histogram ?? item.exponentialHistogram ?? item.summary
        if (signal === 'metrics') yield* data?.dataPoints ?? []
      }
    }
  }
}

/** Absent and empty are the same to those who read keys, values and resources. */
function normalise(signal: Signal, request: Tree): Tree {
  for (const level of ['resource', 'item'] as const) {
    if (level === 'item' && signal === 'profiles') continue
    for (const holder of holders(signal, request, level))
      holder.attributes = (holder.attributes ?? []).map((e: Tree) => ({
        ...e,
        key: e.key ?? '',
        value: e.value ?? {},
      }))
  }
  return request
}

function editBytes(
  signal: Signal,
  level: 'resource' | 'item',
  actions: AttributeActions,
  bytes: Uint8Array,
  apply = (walk: Walk): void => actions.applyToRecord(walk),
): Uint8Array {
  const walk = new Walk(signal).open(bytes)
  actions.begin({})
  while (walk.nextResource()) {
    if (level === 'resource') actions.apply(walk.resourceAttributes)
    else
      while (walk.nextScope())
        while (walk.nextItem()) {
          if (signal !== 'metrics') apply(walk)
          else while (walk.nextPoint()) apply(walk)
        }
  }
  return walk.finish()
}

for (const signal of SIGNALS) {
  for (const level of ['resource', 'item'] as const) {
    if (signal === 'profiles' && level === 'item') continue
    let edits = 0
    test(`actions on each ${level} of ${signal} do to bytes what they do to objects`, () => {
      void fc.assert(
        fc.property(requestArbitrary(signal), actions, fc.boolean(), (request, plain, descending) => {
          const configs = plain.map((one) => parseConfig(actionConfig, one))
          const ascending = encode(signal, request)
          const bytes = descending ? scramble(REQUEST_NAME[signal], ascending, chooser(1), { descending }) : ascending
          const expected = normalise(signal, decode(signal, ascending))
          for (const holder of holders(signal, expected, level))
            for (const config of configs) holder.attributes = naive(holder.attributes, config)
          const edited = editBytes(signal, level, new AttributeActions(configs), bytes)
          if (edited !== bytes) edits++
          assert.deepStrictEqual(normalise(signal, decode(signal, edited)), expected)
        }),
        { numRuns: 400 },
      )
      assert.ok(edits > 40, `only ${edits} of the requests were edited`)
    })
  }
}

test('a key that stands thousands of times is deleted everywhere', () => {
  const attributes = Array.from({ length: 3000 }, () => ({ key: 'other', value: { intValue: 1n } }))
  const attribute = { key: 'kept', value: { stringValue: 'yes' } }
  const logRecords = [{ attributes: [...attributes, attribute, ...attributes] }]
  const bytes = encode('logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
  const actions = new AttributeActions([parseConfig(actionConfig, { key: 'other', action: 'delete' })])
  const edited = decode('logs', editBytes('logs', 'item', actions, bytes)) as Tree
  assert.deepEqual(edited.resourceLogs[0].scopeLogs[0].logRecords[0].attributes, [attribute])
})

const literal = fc.oneof(
  fc.record({
    key,
    action: fc.constantFrom('insert', 'update', 'upsert'),
    value: fc.oneof(fc.string(), fc.integer(), fc.constant('y'.repeat(200))),
  }),
  fc.record({ key, action: fc.constant('delete') }),
)
const literals = fc.uniqueArray(literal, { minLength: 1, maxLength: 6, selector: (one) => one.key })

for (const signal of SIGNALS.filter((one) => one !== 'profiles')) {
  test(`literals written into ${signal} in one go are the bytes that one action after the other writes`, () => {
    let edits = 0
    void fc.assert(
      fc.property(requestArbitrary(signal), literals, fc.nat(3), (request, plain, shuffle) => {
        const ordered = encode(signal, request)
        const how = { descending: shuffle === 1 }
        const bytes = shuffle === 0 ? ordered : scramble(REQUEST_NAME[signal], ordered, chooser(shuffle), how)
        const configs = plain.map((one) => parseConfig(actionConfig, one))
        const actions = new AttributeActions(configs)
        const expected = editBytes(signal, 'item', actions, bytes, (walk) => actions.apply(walk.attributes))
        assert.deepEqual(Buffer.from(editBytes(signal, 'item', actions, bytes)), Buffer.from(expected))
        if (expected !== bytes) edits++
      }),
      { numRuns: 600 },
    )
    assert.ok(edits > 40, `only ${edits} of the requests were edited`)
  })
}
