// Sends the parts of a batch as one Export call; nothing is decoded or copied on the way to the socket.

import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { targetOf } from '../../net/grpc/client-config.ts'
import { OtlpPush } from '../../net/grpc/otlp-push.ts'
import type { Batch } from '../../otlp/batch.ts'
import { RemoteHealth } from '../../sending/remote-health.ts'
import { Sending } from '../../sending/sending.ts'
import type { OtlpGrpcConfig } from './config.ts'

export class OtlpGrpcExporter implements Exporter {
  readonly #sending: Sending
  readonly #server: OtlpPush

  constructor(config: OtlpGrpcConfig, context: ExporterContext) {
    const { host, port } = targetOf(config)
    const labels = host === '' ? {} : { 'server.address': host, 'server.port': String(port) }
    const server = new OtlpPush(config, context)
    const health = new RemoteHealth(context, () => server.ready)
    health.observe(context.meter, config.endpoint)
    this.#server = server
    this.#sending = new Sending(context, config, health.watch(server.push), () => labels)
  }

  async start(): Promise<void> {
    this.#server.start()
    await this.#sending.start()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    await this.#sending.stop(deadline)
    this.#server.close()
  }
}
