// OTLP bytes to remote write: what the exporter adds to the way of a batch, beside the request itself.

import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import { config } from '../../src/exporters/prometheus_remote_write/config.ts'
import { Encoder } from '../../src/exporters/prometheus_remote_write/encoder.ts'
import { MessageWriter } from '../../src/exporters/prometheus_remote_write/message.ts'
import { encoderOptions } from '../../src/exporters/prometheus_remote_write/options.ts'
import { Request } from '../../src/exporters/prometheus_remote_write/request.ts'
import { compress } from '../../src/net/compression.ts'
import { Batch, NO_CLIENT } from '../../src/otlp/batch.ts'
import { payload } from '../rig/payloads.ts'
import { bench } from './harness.ts'

const ITEMS = 1000
const VERSIONS = { v1: 'prometheus.WriteRequest', v2: 'io.prometheus.write.v2.Request' } as const

interface State {
  readonly batch: Batch
  readonly encoder: Encoder
  readonly writer: MessageWriter
}

const state = (version: keyof typeof VERSIONS): State => {
  const own = parseConfig(config, { endpoint: 'http://localhost:9090', protobuf_message: VERSIONS[version] })
  const around = { gates: new Set<string>(), seed: 1, onDropped: () => {} }
  return {
    batch: new Batch('metrics', [payload({ signal: 'metrics', items: ITEMS })], ITEMS, Delivery.none()),
    encoder: new Encoder(encoderOptions(own, around)),
    writer: new MessageWriter({ isV2: version === 'v2', tellsMetadata: false }),
  }
}

const SHARE = { requestEnded: () => {} }

function message({ batch, encoder, writer }: State): readonly Uint8Array[] {
  const request = new Request(NO_CLIENT)
  encoder.encode(batch, { requestFor: () => request }, SHARE, () => {})
  const { head, series } = writer.write(request, 0)
  request.delivery.deliver()
  return [head, series]
}

const length = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length: own }) => sum + own, 0)
const bytes = ({ batch }: State): number => batch.byteLength

export default (['v1', 'v2'] as const).flatMap((version) => [
  bench({
    name: `remote-write/${version}-${ITEMS}`,
    items: ITEMS,
    bytes,
    setup: () => state(version),
    run: (own) => length(message(own)),
  }),
  bench({
    name: `remote-write/${version}-${ITEMS}-packed`,
    items: ITEMS,
    bytes,
    setup: () => state(version),
    run: (own) => compress('snappy', message(own), undefined).length,
  }),
])
