// Sends the parts of a batch as one Export call; nothing is decoded or copied on the way to the socket.

import type { Exporter, ExporterContext } from '../../graph/component.ts'
import type { GrpcClient } from '../../net/grpc/client.ts'
import { makeGrpcClient, targetOf } from '../../net/grpc/client-config.ts'
import { pushOtlp } from '../../net/grpc/otlp-push.ts'
import type { Batch } from '../../otlp/batch.ts'
import { RemoteHealth } from '../../sending/remote-health.ts'
import { Sending } from '../../sending/sending.ts'
import type { OtlpGrpcConfig } from './config.ts'

export class OtlpGrpcExporter implements Exporter {
  readonly #config: OtlpGrpcConfig
  readonly #context: ExporterContext
  readonly #sending: Sending
  #client: GrpcClient | undefined

  constructor(config: OtlpGrpcConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    const { host, port } = targetOf(config)
    const labels = host === '' ? {} : { 'server.address': host, 'server.port': String(port) }
    const health = new RemoteHealth(() => this.#client?.ready === true)
    health.observe(context.meter, config.endpoint)
    this.#sending = new Sending(
      context,
      config,
      health.watch((batch, signal) => pushOtlp(this.#client, batch, signal, context.log)),
      () => labels,
    )
  }

  start(): void {
    this.#client = makeGrpcClient(this.#config, this.#config.timeoutMs, this.#context)
    this.#client.connect()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    await this.#sending.stop(deadline)
    this.#client?.close()
  }
}
