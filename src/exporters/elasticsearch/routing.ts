// Where a document goes: a static index, an index that attributes name, or a data stream.
//
//   static index (logs_index ...)                          nothing else is looked at
//   elasticsearch.index                                    record, then scope, then resource
//   elasticsearch.index.prefix / .suffix                   resource, then scope, then record: PREFIX + SUFFIX around ''
//   data_stream.type / .dataset / .namespace               record, then scope, then resource
//   a scope named .../receiver/NAMEreceiver...             dataset NAMEreceiver
//   generic, default
//
// contrib, exporter/elasticsearchexporter/internal/datastream/router.go; reference 4.7. Most records have none of these
// attributes: then the target of their scope is theirs.

import { Piece } from '../../wire/piece.ts'
import type { SpecialAttributes, SpecialName } from './special-attributes.ts'

export interface DataStream {
  readonly type: string
  readonly dataset: string
  readonly namespace: string
}

export interface Target {
  readonly index: string
  /** `"data_stream":{...},` or empty: as it stands in documents of mode otel. */
  readonly dataStreamJson: Piece
  readonly dataStream: DataStream | undefined
  /** `{"create":{"_index":"..."`, to be closed. */
  readonly action: Piece
  /** The same with its end and the beginning of the document. */
  readonly opening: Piece
}

export interface RoutingOptions {
  /** Empty: by attributes. */
  readonly index: string
  /** Behind every index: logstash_format. */
  readonly suffix: string
  readonly type: 'logs' | 'metrics' | 'traces'
  /** Data sets end with `.otel`. */
  readonly otel: boolean
}

const TYPES = new Set(['logs', 'metrics', 'traces'])
const MAX_BYTES = 100
/** Beyond this many the oldest are made again when they are needed. */
const MAX_TARGETS = 1000
const NOT_IN_NAMESPACE = /[\\/*?"<>| ,#:]/gu
const NOT_IN_DATASET = /[-\\/*?"<>| ,#:]/gu
const RECEIVER = /\/receiver\/(\w*receiver)/

export class Routing {
  readonly #options: RoutingOptions
  readonly #targets = new Map<string, Target>()
  readonly #static: Target | undefined

  constructor(options: RoutingOptions) {
    this.#options = options
    if (options.index !== '') this.#static = makeTarget(options.index + options.suffix, undefined)
  }

  get isStatic(): boolean {
    return this.#static !== undefined
  }

  /** `record` may be left out: then it is what records without attributes of their own get. */
  target(
    record: SpecialAttributes | undefined,
    scope: SpecialAttributes,
    resource: SpecialAttributes,
    scopeName: string,
  ): Target {
    if (this.#static !== undefined) return this.#static
    const first = (name: SpecialName): string | undefined =>
      record?.find(name) ?? scope.find(name) ?? resource.find(name)
    const index = first('INDEX')
    if (index !== undefined && index !== '') return this.#indexTarget(index)
    const dataset = first('DATASET')
    const namespace = first('NAMESPACE')
    if (dataset === undefined && namespace === undefined) {
      const last = (name: SpecialName): string | undefined =>
        resource.find(name) ?? scope.find(name) ?? record?.find(name)
      const prefix = last('PREFIX')
      const suffix = last('SUFFIX')
      if (prefix !== undefined || suffix !== undefined) return this.#indexTarget(`${prefix ?? ''}${suffix ?? ''}`)
    }
    const type = first('TYPE')
    return this.#streamTarget(
      type !== undefined && TYPES.has(type) ? type : this.#options.type,
      dataset ?? RECEIVER.exec(scopeName)?.[1] ?? 'generic',
      namespace ?? 'default',
    )
  }

  #indexTarget(index: string): Target {
    return this.#kept(`i${index}`, () => makeTarget(index + this.#options.suffix, undefined))
  }

  #streamTarget(type: string, dataset: string, namespace: string): Target {
    return this.#kept(`s${type}\n${dataset}\n${namespace}`, () => {
      const stream: DataStream = {
        type,
        dataset: sanitize(dataset, NOT_IN_DATASET, this.#options.otel ? '.otel' : ''),
        namespace: sanitize(namespace, NOT_IN_NAMESPACE, ''),
      }
      return makeTarget(`${stream.type}-${stream.dataset}-${stream.namespace}${this.#options.suffix}`, stream)
    })
  }

  #kept(key: string, make: () => Target): Target {
    const kept = this.#targets.get(key)
    if (kept !== undefined) return kept
    if (this.#targets.size >= MAX_TARGETS) this.#targets.delete(this.#targets.keys().next().value!)
    const made = make()
    this.#targets.set(key, made)
    return made
  }
}

function makeTarget(index: string, dataStream: DataStream | undefined): Target {
  const action = `{"create":{"_index":${JSON.stringify(index)}`
  return {
    index,
    dataStream,
    dataStreamJson: new Piece(dataStream === undefined ? '' : `"data_stream":${JSON.stringify(dataStream)},`),
    action: new Piece(action),
    opening: new Piece(`${action}}}\n{`),
  }
}

/** Lower case, without what an index cannot have, in at most 100 bytes with the suffix. */
function sanitize(text: string, disallowed: RegExp, suffix: string): string {
  const clean = text.toLowerCase().replace(disallowed, '_')
  const most = MAX_BYTES - suffix.length
  if (Buffer.byteLength(clean) <= most) return clean + suffix
  let end = clean.length
  while (Buffer.byteLength(clean.slice(0, end)) > most) end--
  return clean.slice(0, end) + suffix
}
