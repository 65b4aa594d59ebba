// Edits the attributes of every resource, whatever the signal.

import { AttributeActions } from '../../attributes/actions.ts'
import type { Output, Processor } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { Signal } from '../../otlp/signal.ts'
import { editBatch, Walk } from '../../otlp/walk.ts'
import type { ResourceConfig } from './config.ts'

export class ResourceProcessor implements Processor {
  readonly #actions: AttributeActions
  readonly #walk: Walk

  constructor(config: ResourceConfig, signal: Signal) {
    this.#actions = new AttributeActions(config.attributes)
    this.#walk = new Walk(signal)
  }

  process(batch: Batch, out: Output): void {
    this.#actions.begin(batch.client)
    out.send(editBatch(batch, this.#walk, this.#visit))
  }

  readonly #visit = (walk: Walk): void => {
    while (walk.nextResource()) this.#actions.apply(walk.resourceAttributes)
  }
}
