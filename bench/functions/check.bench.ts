// The structural check at the door, for each signal.

import { checkRequest } from '../../src/otlp/check.ts'
import { payload } from '../rig/payloads.ts'
import { bench } from './harness.ts'

const ITEMS = 1000

export default (['traces', 'metrics', 'logs'] as const).map((signal) =>
  bench({
    name: `check/${signal}-${ITEMS}`,
    items: ITEMS,
    bytes: (request: Uint8Array) => request.length,
    setup: () => payload({ signal, items: ITEMS }),
    run: (request) => checkRequest(signal, request),
  }),
)
