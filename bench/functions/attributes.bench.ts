// What the attributes and resource processors cost on spans of ten attributes.

import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import type { ProcessorContext } from '../../src/graph/component.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { factory as attributes } from '../../src/processors/attributes/factory.ts'
import { factory as resource } from '../../src/processors/resource/factory.ts'
import { RequestGenerator } from '../../src/send/generate.ts'
import { bench } from './harness.ts'

const REQUEST = new RequestGenerator({
  signal: 'traces',
  itemsPerRequest: 1000,
  attributes: 10,
  service: 'bench',
  seed: 1,
}).next(1_767_225_600_000)
const context = { id: 'bench', signal: 'traces', pipeline: 'traces' } as ProcessorContext

const ofActions = (name: string, actions: object[], more: object = {}) =>
  bench({
    name: `attributes/${name}`,
    items: 1000,
    bytes: REQUEST.length,
    setup: () => attributes.create(parseConfig(attributes.config, { actions, ...more }), context),
    run: (processor) => run((batch, out) => processor.process(batch, out)),
  })

function run(process: (batch: Batch, out: { send(batch: Batch): void }) => void): number {
  let bytes = 0
  process(new Batch('traces', [REQUEST], 1000, Delivery.none()), {
    send: (batch) => {
      bytes = batch.byteLength
    },
  })
  return bytes
}

export default [
  ofActions('insert', [{ key: 'plant.line', value: 'north-3', action: 'insert' }]),
  ofActions('insert-update-delete', [
    { key: 'plant.line', value: 'north-3', action: 'insert' },
    { key: 'http.request.method', value: 'GET', action: 'update' },
    { key: 'url.path', action: 'delete' },
  ]),
  ofActions('delete-pattern', [{ pattern: '^http\\.', action: 'delete' }]),
  ofActions('hash', [{ key: 'url.path', action: 'hash' }]),
  ofActions('nothing-to-do', [{ key: 'absent', action: 'delete' }]),
  ofActions('insert-where-name-matches', [{ key: 'plant.line', value: 'north-3', action: 'insert' }], {
    include: { match_type: 'regexp', span_names: ['^GET', '^POST'] },
  }),
  bench({
    name: 'resource/upsert',
    items: 1000,
    bytes: REQUEST.length,
    setup: () =>
      resource.create(
        parseConfig(resource.config, { attributes: [{ key: 'a', value: 'b', action: 'upsert' }] }),
        context,
      ),
    run: (processor) => run((batch, out) => processor.process(batch, out)),
  }),
]
