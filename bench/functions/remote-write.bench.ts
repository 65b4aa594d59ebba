// OTLP bytes to remote write: what the exporter adds to the way of a batch, beside the request itself.

import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import { config } from '../../src/exporters/prometheus_remote_write/config.ts'
import { Encoder } from '../../src/exporters/prometheus_remote_write/encoder.ts'
import { Message1 } from '../../src/exporters/prometheus_remote_write/message-1.ts'
import { Message2 } from '../../src/exporters/prometheus_remote_write/message-2.ts'
import { encoderOptions } from '../../src/exporters/prometheus_remote_write/options.ts'
import { Request } from '../../src/exporters/prometheus_remote_write/request.ts'
import { Batch, NO_CLIENT } from '../../src/otlp/batch.ts'
import { payload } from '../rig/payloads.ts'
import { bench } from './harness.ts'

const ITEMS = 1000
const VERSIONS = { v1: 'prometheus.WriteRequest', v2: 'io.prometheus.write.v2.Request' } as const

interface State {
  readonly batch: Batch
  readonly encoder: Encoder
  readonly message: Message1 | Message2
}

const state = (version: keyof typeof VERSIONS): State => {
  const own = parseConfig(config, { endpoint: 'http://localhost:9090', protobuf_message: VERSIONS[version] })
  const around = { gates: new Set<string>(), seed: 1, onDropped: () => {} }
  return {
    batch: new Batch('metrics', [payload({ signal: 'metrics', items: ITEMS })], ITEMS, Delivery.none()),
    encoder: new Encoder(encoderOptions(own, around)),
    message: version === 'v2' ? new Message2() : new Message1(false),
  }
}

const SHARE = { requestEnded: () => {} }

function run({ batch, encoder, message }: State): number {
  const request = new Request(NO_CLIENT)
  encoder.encode(batch, { requestFor: () => request }, SHARE, () => {})
  request.sort()
  const { length } = message.write(request, 0, request.series.length, 0)
  request.delivery.deliver()
  return length
}

export default (['v1', 'v2'] as const).map((version) =>
  bench({
    name: `remote-write/${version}-${ITEMS}`,
    items: ITEMS,
    bytes: ({ batch }: State) => batch.byteLength,
    setup: () => state(version),
    run,
  }),
)
