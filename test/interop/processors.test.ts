// Processors pass on what the Collector's pass on: random configurations and requests through ours and through the Collector's
// own modules (collector/, in Go). What one refuses as a configuration the other refuses too.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessorFactory } from '../../src/graph/component.ts'
import { factory as attributes } from '../../src/processors/attributes/factory.ts'
import { factory as sampler } from '../../src/processors/probabilistic_sampler/factory.ts'
import { factory as resource } from '../../src/processors/resource/factory.ts'
import { harness } from '../support/harness.ts'
import { decode, encode, type PlainMessage } from '../support/oracle.ts'
import { findProgram, type Program } from '../support/programs.ts'
import { chooser } from '../support/scramble.ts'
import { type Configuration, Configurations } from './processors/configurations.ts'
import { request } from './translators/requests.ts'
import { assertSame, REQUESTS, SEED, translated } from './translators/run.ts'

const found = findProgram('collector translators')
const skip = typeof found === 'string' && found
const collector = found as Program

const LISTS = {
  traces: ['scopeSpans', 'spans'],
  logs: ['scopeLogs', 'logRecords'],
  metrics: ['scopeMetrics', 'metrics'],
} as const

interface KeyValue {
  readonly key?: string
}

const byKey = (a: KeyValue, b: KeyValue): number => (a.key ?? '').localeCompare(b.key ?? '')

const list = (request: PlainMessage): PlainMessage[] => (Object.values(request)[0] ?? []) as PlainMessage[]

const text = (message: PlainMessage): string =>
  JSON.stringify(message, (key, value) => {
    if (typeof value === 'bigint') return `${value}n`
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    if (Array.isArray(value) && value.some((one) => one?.key !== undefined)) return value.toSorted(byKey)
    return key !== '' &&
      value !== null &&
      typeof value === 'object' &&
      !Array.isArray(value) &&
      Object.keys(value).length === 0
      ? undefined
      : value
  })

/** Texts that are numbers, or nearly. */
const NUMBERS = [
  '404',
  '+7',
  '-0',
  '007',
  '1_000',
  '1__0',
  '_1',
  '1_.0',
  '1.2_5e1_0',
  '9223372036854775808',
  '.5',
  '5.',
  '1e-3',
  '1E400',
  '-inf',
  'NaN',
  ' 1',
]

/** Behind each configuration. */
const REQUESTS_EACH = 5
const CLIENT = {
  metadata: new Map([
    ['x-tenant', ['north']],
    ['x-lines', ['1', '2']],
  ]),
}

// biome-ignore lint/suspicious/noExplicitAny: each has a configuration of its own
type AnyProcessor = ProcessorFactory<any>
const COMPARED: readonly (readonly [AnyProcessor, keyof Configurations & string, 'traces' | 'logs' | 'metrics'])[] = [
  ...(['traces', 'logs', 'metrics'] as const).flatMap((signal) => [
    [attributes, 'attributes', signal] as const,
    [resource, 'resource', signal] as const,
  ]),
  [sampler, 'sampler', 'traces'],
  [sampler, 'sampler', 'logs'],
]

for (const [factory, makes, signal] of COMPARED)
  test(`${factory.type} passes on what the Collector's passes on: ${signal}`, { skip }, async (t) => {
    const choose = chooser(SEED)
    const configurations = new Configurations(choose, signal)
    const messages: Uint8Array[] = []
    const written: Configuration[] = []
    for (let i = 0; i < REQUESTS; i++) {
      const one = configurations[makes]()
      written.push(one)
      messages.push(Buffer.from(JSON.stringify(one)))
      for (let n = 0; n < REQUESTS_EACH; n++)
        messages.push(encode(signal, request(signal, choose, { moreTexts: NUMBERS })))
    }
    const answers = translated(collector, `${factory.type}-${signal}`, messages)
    let at = 0
    for (const one of written) {
      const name = `${factory.type} for ${signal}: ${JSON.stringify(one)}`
      const refusal = String(answers[at++])
      const ours = await harness(t, factory, one, { signal }).catch((error: Error) => error)
      if (ours instanceof Error || refusal !== '') {
        assert.ok(ours instanceof Error, `${name}: the Collector refuses it: ${refusal}`)
        assert.notEqual(refusal, '', `${name}: we alone refuse it: ${ours}`)
        at += REQUESTS_EACH
        continue
      }
      for (let n = 0; n < REQUESTS_EACH; n++, at++) {
        ours.push(messages[at]!, CLIENT)
        const passed = ours.sent.splice(0).flatMap(({ parts }) => parts)
        assertSame(
          name,
          at,
          passed.flatMap((part) => lines(signal, part)),
          lines(signal, answers[at]!),
        )
      }
    }
  })

/** A line for each resource, scope and record, in their order. An empty message is as good as none, and maps have no order. */
function lines(signal: keyof typeof LISTS, bytes: Uint8Array): string[] {
  const out: string[] = []
  for (const [r, { [LISTS[signal][0]]: scopes, ...resource }] of list(decode(signal, bytes)).entries()) {
    out.push(`${r} ${text(resource)}`)
    for (const [s, { [LISTS[signal][1]]: records, ...scope }] of (scopes as PlainMessage[]).entries()) {
      out.push(`${r}.${s} ${text(scope)}`)
      for (const [i, record] of (records as PlainMessage[]).entries()) out.push(`${r}.${s}.${i} ${text(record)}`)
    }
  }
  return out
}
