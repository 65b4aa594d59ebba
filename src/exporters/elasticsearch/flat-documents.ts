// Documents of the modes none, raw and ecs: what resource and scope contribute to all of theirs, gathered once for each
// (reference 4.7; contrib, exporter/elasticsearchexporter/model.go). What records add: plain-documents.ts, ecs-documents.ts.

import type { Walk } from '../../otlp/walk.ts'
import type { FlatMode } from './config.ts'
import type { DocumentText } from './document-text.ts'
import { EcsDocuments } from './ecs-documents.ts'
import { ECS_VALUES } from './ecs-names.ts'
import { addAttributes } from './flat-attributes.ts'
import { FlatFields } from './flat-fields.ts'
import type { Place } from './place.ts'
import { PlainDocuments } from './plain-documents.ts'
import type { Target } from './routing.ts'

const NO_VALUES: ReadonlySet<string> = new Set()

export class FlatDocuments {
  readonly #text: DocumentText
  readonly #signal: 'logs' | 'traces' | 'metrics'
  readonly #fields = new FlatFields()
  readonly #ecs = new EcsDocuments(this.#fields)
  readonly #plain = new PlainDocuments(this.#fields)
  #mode: FlatMode = 'none'
  #isResourceRead = false
  readonly #start = this.#fields.mark
  #resourceMark = this.#start
  #scopeMark = this.#start

  constructor(text: DocumentText, signal: 'logs' | 'traces' | 'metrics') {
    this.#text = text
    this.#signal = signal
  }

  enterResource(): void {
    this.#isResourceRead = false
  }

  /** Metrics are written as in mode ecs, whichever of these modes it is. */
  enterScope(walk: Walk, place: Place, wanted: FlatMode): void {
    const fields = this.#fields
    const mode = this.#signal === 'metrics' ? 'ecs' : wanted
    if (!this.#isResourceRead || mode !== this.#mode) this.#readResource(walk, place, mode)
    fields.reset(this.#resourceMark)
    if (mode !== 'ecs') this.#plain.scope(walk, place)
    else if (this.#signal !== 'metrics') addAttributes(fields, '', walk.scopeAttributes, place.scopeSpecial)
    this.#scopeMark = fields.mark
  }

  log(walk: Walk, place: Place, target: Target): void {
    this.#fields.reset(this.#scopeMark)
    if (this.#mode === 'ecs') this.#ecs.log(walk, place, target)
    else this.#plain.log(walk, place, target, this.#mode)
    this.#fields.write(this.#text, this.#mode === 'ecs')
  }

  span(walk: Walk, place: Place, target: Target): void {
    this.#fields.reset(this.#scopeMark)
    if (this.#mode === 'ecs') this.#ecs.span(walk, place, target)
    else this.#plain.span(walk, place, target, this.#mode)
    this.#fields.write(this.#text, this.#mode === 'ecs')
  }

  /** In mode ecs events of spans are documents of their own. */
  get events(): EcsDocuments {
    return this.#ecs
  }

  /** The event that `events` has read last. */
  event(walk: Walk, target: Target): void {
    const fields = this.#fields
    fields.reset(this.#scopeMark)
    fields.fixed = ECS_VALUES.events
    this.#ecs.event(walk, target)
    fields.write(this.#text, true)
    fields.fixed = ECS_VALUES.traces
  }

  /** The fields of the resource, to which a document of metrics adds its own. */
  beginMetrics(): FlatFields {
    this.#fields.reset(this.#resourceMark)
    return this.#fields
  }

  #readResource(walk: Walk, place: Place, mode: FlatMode): void {
    const fields = this.#fields
    this.#isResourceRead = true
    this.#mode = mode
    fields.reset(this.#start)
    fields.fixed = mode === 'ecs' ? ECS_VALUES[this.#signal] : NO_VALUES
    if (mode === 'ecs') this.#ecs.resource(walk.resourceAttributes, place.resourceSpecial)
    else addAttributes(fields, 'Resource.', walk.resourceAttributes, place.resourceSpecial)
    this.#resourceMark = fields.mark
  }
}
