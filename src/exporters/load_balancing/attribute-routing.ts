// The key `attributes`: NAME=VALUE| for each attribute that routing_attributes names, one text, hashed.
//
// Traces look at resource, scope and span for each name in the order written. Logs and metrics put what the resource has
// first, then what the scope has, then the rest. span.name, span.kind, log.severity and log.body are read from the item
// where neither resource nor scope has an attribute of that name.

import { Attributes } from '../../otlp/attributes.ts'
import { LOG_RECORD, SPAN } from '../../otlp/fields.ts'
import { crcOf, EMPTY_CRC } from '../../otlp/hash.ts'
import { LogView } from '../../otlp/log.ts'
import { MetricView, pointAttributes } from '../../otlp/metric.ts'
import { MergedView } from '../../otlp/resource.ts'
import { SpanView } from '../../otlp/span.ts'
import { keyText } from './key-text.ts'
import type { HashRing } from './ring.ts'
import type { Routing } from './routing.ts'

const RESOURCE_ATTRIBUTES = 1
const SCOPE_ATTRIBUTES = 3
// As pdata prints SpanKind.
const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']

interface Name {
  readonly key: Uint8Array
  readonly prefix: string
  /** What the resource or the scope has; undefined where the item is asked. */
  text: string | undefined
}

export class AttributeRouting implements Routing {
  readonly level: number
  readonly #signal: 'traces' | 'logs' | 'metrics'
  readonly #names: readonly Name[]
  readonly #merged = new MergedView()
  readonly #attributes = new Attributes()
  readonly #span = new SpanView()
  readonly #log = new LogView()
  readonly #metric = new MetricView()
  #ring!: HashRing
  #resourceTexts: readonly (string | undefined)[] = []
  #pointField = 0
  /** Of logs and metrics: what resource and scope give, which stands first. */
  #base = ''
  #lastKey: string | undefined
  #lastShard = 0

  constructor(signal: 'traces' | 'logs' | 'metrics', names: readonly string[]) {
    this.#signal = signal
    this.level = signal === 'metrics' ? 5 : 3
    this.#names = names.map((name) => ({ key: Buffer.from(name), prefix: `${name}=`, text: undefined }))
  }

  begin(ring: HashRing): this {
    this.#ring = ring
    this.#lastKey = undefined
    return this
  }

  enter = (level: number, bytes: Uint8Array, start: number, end: number): void => {
    if (level === 1) {
      this.#attributes.ofPieces(this.#merged.reset(bytes, start, end), RESOURCE_ATTRIBUTES)
      this.#resourceTexts = this.#names.map(({ key }) => this.#textOf(key))
    } else if (level === 2) {
      this.#attributes.ofPieces(this.#merged.reset(bytes, start, end), SCOPE_ATTRIBUTES)
      this.#names.forEach((name, i) => {
        name.text = this.#resourceTexts[i] ?? this.#textOf(name.key)
      })
      if (this.#signal !== 'traces') this.#base = this.#baseKey()
    } else if (level === 3) this.#pointField = pointAttributes(this.#metric.reset(bytes, start, end).type)
  }

  shardOf = (bytes: Uint8Array, start: number, end: number): number => {
    const key = this.#key(bytes, start, end)
    if (key === this.#lastKey) return this.#lastShard
    this.#lastKey = key
    this.#lastShard = this.#ring.ownerOf(crcOf(EMPTY_CRC, Buffer.from(key)))
    return this.#lastShard
  }

  #baseKey(): string {
    let key = ''
    this.#names.forEach(({ prefix, text }, i) => {
      if (this.#resourceTexts[i] !== undefined) key += `${prefix}${text}|`
    })
    this.#names.forEach(({ prefix, text }, i) => {
      if (this.#resourceTexts[i] === undefined && text !== undefined) key += `${prefix}${text}|`
    })
    return key
  }

  #key(bytes: Uint8Array, start: number, end: number): string {
    const inOrder = this.#signal === 'traces'
    let key = inOrder ? '' : this.#base
    for (const { key: name, prefix, text } of this.#names) {
      if (text !== undefined) {
        if (inOrder) key += `${prefix}${text}|`
      } else key += `${prefix}${this.#itemText(name, prefix, bytes, start, end)}|`
    }
    return key
  }

  #itemText(name: Uint8Array, prefix: string, bytes: Uint8Array, start: number, end: number): string {
    if (this.#signal === 'traces') {
      if (prefix === 'span.kind=') return KINDS[this.#span.reset(bytes, start, end).kind()] ?? ''
      if (prefix === 'span.name=') return this.#span.reset(bytes, start, end).toName()
    } else if (this.#signal === 'logs') {
      if (prefix === 'log.severity=') return this.#log.reset(bytes, start, end).toSeverityText()
      if (prefix === 'log.body=') return this.#log.reset(bytes, start, end).body().toText()
    }
    this.#attributes.of(bytes, start, end, this.#itemField())
    return this.#textOf(name) ?? ''
  }

  #itemField(): number {
    if (this.#signal === 'metrics') return this.#pointField
    return this.#signal === 'traces' ? SPAN.ATTRIBUTES : LOG_RECORD.ATTRIBUTES
  }

  #textOf(key: Uint8Array): string | undefined {
    const found = this.#attributes.find(key)
    return found === undefined ? undefined : keyText(found)
  }
}
