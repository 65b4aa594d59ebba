// Encodes each batch and hands it to the file it belongs to. Delivered once it is written; nothing is retried here.
//
// One instance serves every signal: their requests stand in one file in the order of arrival.

import type { Delivery } from '../../delivery/delivery.ts'
import { DeliveryError, WHEN_THERE_IS_ROOM } from '../../delivery/error.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { compress } from '../../net/compression.ts'
import type { Batch } from '../../otlp/batch.ts'
import { bytesToJsonBytes } from '../../otlp/json/index.ts'
import type { Signal } from '../../otlp/signal.ts'
import { type ExporterMetrics, exporterMetrics } from '../../self/exporter-metrics.ts'
import type { Counter } from '../../self/meter.ts'
import { directoryMode, type FileConfig } from './config.ts'
import { FileWriter } from './file-writer.ts'
import { groupPath, groupsOf } from './groups.ts'

/** Encoded bytes that wait for the disk; more is refused until it has caught up. */
const WAITING_MAX_BYTES = 64 * 1024 * 1024

/** What the system says of a path that cannot be one: no later try helps, as with an attribute that names the file. */
const IMPOSSIBLE_PATH: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENAMETOOLONG', 'EISDIR', 'ENOTDIR'])
const codeOf = (error: Error): string | undefined => (error as NodeJS.ErrnoException).code

const NEWLINE = Uint8Array.of(0x0a)

/** A request on its way to a file, settled once: by the file, or by stop() when the time is over. */
interface Waiting {
  readonly delivery: Delivery
  readonly signal: Signal
  readonly items: number
  readonly bytes: number
}

export class FileExporter implements Exporter {
  readonly #config: FileConfig
  readonly #context: ExporterContext
  readonly #metrics = new Map<Signal, ExporterMetrics>()
  readonly #droppedItems: Counter | undefined
  /** By path, the one used last at the end. Without group_by there is one. */
  readonly #writers = new Map<string, FileWriter>()
  /** Files being closed; whoever wants one again has to wait. */
  readonly #closing = new Map<string, Promise<void>>()
  readonly #waiting = new Set<Waiting>()
  #waitingBytes = 0
  #isOpen = false
  #startedAtMs = 0

  constructor(config: FileConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    for (const signal of context.signals) this.#metrics.set(signal, exporterMetrics(context.meter, signal))
    this.#droppedItems = config.groupBy.enabled
      ? context.meter.counter(
          'exporter_file_ungrouped_items',
          '{item}',
          'Number of spans, data points, log records and samples dropped because their resource does not have the attribute that names the file.',
        )
      : undefined
  }

  async start(): Promise<void> {
    this.#startedAtMs = this.#context.clock.now()
    if (!this.#config.groupBy.enabled) await this.#writer(this.#config.path).open()
    this.#isOpen = true
  }

  export(batch: Batch): void {
    const { groupBy, path } = this.#config
    if (!this.#isOpen) {
      this.#metrics.get(batch.signal)?.failed(batch.items, 'Shutdown', false)
      batch.delivery.refuse(new DeliveryError('FILE_CLOSED', `${path} is not open`, { retry: 'backoff' }))
      return
    }
    if (this.#waitingBytes + batch.byteLength > WAITING_MAX_BYTES && this.#waiting.size > 0) {
      this.#metrics.get(batch.signal)?.enqueueFailed.add(batch.items)
      const words = `${path}: more than ${WAITING_MAX_BYTES} bytes wait for the disk`
      batch.delivery.refuse(new DeliveryError('FILE_BUSY', words, { retry: WHEN_THERE_IS_ROOM }))
      return
    }
    if (!groupBy.enabled) {
      this.#write(path, batch, batch.delivery)
      return
    }
    const { groups, droppedItems } = groupsOf(batch, groupBy.resourceAttribute)
    if (droppedItems > 0) {
      this.#droppedItems?.add(droppedItems)
      this.#context.log.debug(`Resource does not contain ${groupBy.resourceAttribute} attribute, dropping it`, {
        dropped_items: droppedItems,
      })
    }
    if (groups.length === 0) {
      batch.delivery.deliver()
      return
    }
    const deliveries = batch.delivery.split(groups.length)
    groups.forEach(({ segment, parts, items }, i) => {
      this.#write(groupPath(path, segment), batch.with(parts, items), deliveries[i]!)
    })
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    this.#isOpen = false
    const closed = Promise.all(
      [...this.#writers.keys()].map((path) => this.#close(path)).concat([...this.#closing.values()]),
    )
    await Promise.race([closed, aborted(deadline)])
    const error = new DeliveryError('FILE_SHUTDOWN', 'the router stopped before the disk took it', { retry: 'backoff' })
    for (const waiting of [...this.#waiting]) this.#settle(waiting, error)
  }

  #write(path: string, batch: Batch, delivery: Delivery): void {
    const pieces = this.#encode(batch)
    let bytes = 0
    for (const piece of pieces) bytes += piece.byteLength
    const waiting: Waiting = { delivery, signal: batch.signal, items: batch.items, bytes }
    this.#waiting.add(waiting)
    this.#waitingBytes += bytes
    this.#writer(path).write(pieces, (error) => {
      const refusal =
        error === undefined
          ? undefined
          : new DeliveryError('FILE_WRITE_FAILED', `${path}: ${error.message}`, {
              retry: IMPOSSIBLE_PATH.has(codeOf(error)) ? 'never' : 'backoff',
              cause: error,
            })
      if (refusal !== undefined && this.#waiting.has(waiting)) {
        this.#context.log.error('Failed to write a file', { path, error: error!.message, dropped_items: batch.items })
      }
      this.#settle(waiting, refusal)
    })
  }

  #settle(waiting: Waiting, error: DeliveryError | undefined): void {
    if (!this.#waiting.delete(waiting)) return
    this.#waitingBytes -= waiting.bytes
    const metrics = this.#metrics.get(waiting.signal)
    if (error === undefined) {
      metrics?.sent.add(waiting.items)
      waiting.delivery.deliver()
    } else {
      metrics?.failed(waiting.items, error.code === 'FILE_SHUTDOWN' ? 'Shutdown' : '_OTHER', false)
      waiting.delivery.refuse(error)
    }
  }

  /** What is written for a batch: a line, or a length of four bytes and the message. */
  #encode(batch: Batch): readonly Uint8Array[] {
    const { format, compression, compressionParams } = this.#config
    const message = format === 'json' ? [bytesToJsonBytes(batch.signal, batch.parts)] : batch.parts
    if (compression !== 'zstd') return format === 'json' ? [...message, NEWLINE] : framed(message)
    return framed([compress('zstd', message, compressionParams.level === 0 ? undefined : compressionParams.level)])
  }

  #writer(path: string): FileWriter {
    let writer = this.#writers.get(path)
    if (writer !== undefined) {
      if (!this.#config.groupBy.enabled) return writer
      this.#writers.delete(path)
    } else writer = this.#makeWriter(path)
    this.#writers.set(path, writer)
    if (this.#writers.size > this.#config.groupBy.maxOpenFiles) {
      const [oldest] = this.#writers.keys()
      void this.#close(oldest!)
    }
    return writer
  }

  #makeWriter(path: string): FileWriter {
    const { append, rotation, createDirectory, groupBy } = this.#config
    return new FileWriter({
      path,
      // A file that was closed to make room for another one must not lose what this run has written.
      existing: append ? 'continue' : groupBy.enabled ? { sinceMs: this.#startedAtMs } : 'empty',
      rotation,
      directoryMode: createDirectory || groupBy.enabled ? directoryMode(this.#config) : undefined,
      clock: this.#context.clock,
      log: this.#context.log,
      ...(this.#closing.has(path) ? { after: this.#closing.get(path)! } : {}),
    })
  }

  /** Lets the file finish what it has and closes it. */
  #close(path: string): Promise<void> {
    const writer = this.#writers.get(path)!
    this.#writers.delete(path)
    const closing = writer
      .close()
      .catch((error: Error) => this.#context.log.warn('Failed to close file', { path, error: error.message }))
      .finally(() => {
        if (this.#closing.get(path) === closing) this.#closing.delete(path)
      })
    this.#closing.set(path, closing)
    return closing
  }
}

function framed(message: readonly Uint8Array[]): readonly Uint8Array[] {
  let length = 0
  for (const part of message) length += part.byteLength
  const head = Buffer.alloc(4)
  head.writeUInt32BE(length)
  return [head, ...message]
}

/** Resolves when the deadline is over; never without one. */
const aborted = (deadline: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (deadline?.aborted === true) resolve()
    else deadline?.addEventListener('abort', () => resolve(), { once: true })
  })
