// Reading in place, and one attribute inserted on every span that does not have it.

import { encodeString, encodeText } from '../../src/otlp/encode.ts'
import { Walk } from '../../src/otlp/walk.ts'
import { payload } from '../rig/payloads.ts'
import { bench } from './harness.ts'

interface State {
  readonly request: Uint8Array
  readonly walk: Walk
}

const ITEMS = 1000
const setup = (): State => ({ request: payload({ signal: 'traces', items: ITEMS }), walk: new Walk('traces') })
const bytes = ({ request }: State): number => request.length

const KEY = encodeText('plant.line')
const VALUE = encodeString('line-3')
const LAST = encodeText('enduser.id')

export default [
  bench({
    name: `walk/ids-times-status-${ITEMS}`,
    items: ITEMS,
    bytes,
    setup,
    run: ({ request, walk }) => {
      let sum = 0
      walk.open(request)
      while (walk.nextResource())
        while (walk.nextScope())
          while (walk.nextItem()) {
            const { span } = walk
            sum += span.bytes[span.traceIdAt()]! + span.startMs() + span.durationMs() + span.statusCode()
          }
      return sum
    },
  }),
  bench({
    name: `walk/find-attribute-${ITEMS}`,
    items: ITEMS,
    bytes,
    setup,
    run: ({ request, walk }) => {
      let found = 0
      walk.open(request)
      while (walk.nextResource())
        while (walk.nextScope()) while (walk.nextItem()) if (walk.attributes.find(LAST) >= 0) found++
      return found
    },
  }),
  bench({
    name: `edit/insert-attribute-${ITEMS}`,
    items: ITEMS,
    bytes,
    setup,
    run: ({ request, walk }) => {
      walk.open(request)
      while (walk.nextResource())
        while (walk.nextScope())
          while (walk.nextItem()) {
            const { attributes } = walk
            if (attributes.find(KEY) < 0) attributes.insert(KEY, VALUE)
          }
      return walk.finish().length
    },
  }),
]
