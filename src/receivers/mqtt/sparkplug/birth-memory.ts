// What births have said, kept over a restart: data that come before the next birth can be read. A birth is an entry of the
// log; once the log is long, all of it is a snapshot.
//
// Bounded by what the reader holds: max_edge_nodes and max_metrics.

import type { ReceiverContext } from '../../../graph/component.ts'
import type { Alias } from '../../../sparkplug/metric-view.ts'
import { NAMESPACE } from '../../../sparkplug/topic.ts'
import type { State } from '../../../storage/state.ts'
import { storageOf } from '../../../storage/storage.ts'
import { Definition, Definitions, type Device } from './edge-node.ts'
import type { Node, SparkplugReader } from './reader.ts'
import type { SparkplugTopics } from './topics.ts'

const VERSION = 1
const LOG_MAX_BYTES = 8 * 2 ** 20

/** One birth. */
interface Kept {
  readonly group: string
  readonly node: string
  readonly device: string
  readonly bdSeq: number
  /** Name, alias, data type, unit, quality. */
  readonly metrics: readonly (readonly [string, Alias, number, string, number])[]
}

export class BirthMemory {
  readonly #context: ReceiverContext
  readonly #storage: string
  readonly #written = new WeakMap<Device, string>()
  #reader: SparkplugReader | undefined
  #state: State | undefined
  #isTakingSnapshot = false
  #hasFailed = false

  constructor(context: ReceiverContext, storage: string) {
    this.#context = context
    this.#storage = storage
  }

  async open(reader: SparkplugReader, topics: SparkplugTopics): Promise<void> {
    this.#reader = reader
    this.#state = await storageOf(this.#context, this.#storage).openState({
      owner: this.#context,
      name: 'sparkplug',
      version: VERSION,
      restore: ({ snapshot, entries }) => {
        if (snapshot !== undefined)
          for (const kept of JSON.parse(textOf(snapshot.bytes)) as Kept[]) this.#restore(kept, topics)
        for (const { bytes } of entries) this.#restore(JSON.parse(textOf(bytes)) as Kept, topics)
      },
    })
  }

  born(node: Node, device: Device): void {
    const state = this.#state
    if (state === undefined) return
    const text = JSON.stringify(keptOf(node, device))
    if (this.#written.get(device) === text) return
    this.#written.set(device, text)
    state.append(Buffer.from(text)).catch((error: Error) => this.#failed(error))
    if (state.logBytes < LOG_MAX_BYTES || this.#isTakingSnapshot) return
    this.#isTakingSnapshot = true
    const all = [...this.#reader!.nodes.values()].flatMap((one) =>
      [...one.devices.values()].filter(({ definitions }) => definitions.size > 0).map((each) => keptOf(one, each)),
    )
    state
      .snapshot(Buffer.from(JSON.stringify(all)))
      .catch((error: Error) => this.#failed(error))
      .finally(() => {
        this.#isTakingSnapshot = false
      })
  }

  async close(): Promise<void> {
    await this.#state?.close()
    this.#state = undefined
  }

  #restore({ group, node, device, bdSeq, metrics }: Kept, topics: SparkplugTopics): void {
    const name = `${NAMESPACE}/${group}/${device === '' ? 'NBIRTH' : 'DBIRTH'}/${node}${device === '' ? '' : `/${device}`}`
    const entry = topics.named(name)
    const found = typeof entry === 'string' ? undefined : this.#reader!.restore(entry)
    if (found === undefined) return
    const definitions = new Definitions()
    for (const [metric, alias, datatype, unit, quality] of metrics) {
      const definition = new Definition(
        new Uint8Array(Buffer.from(metric)),
        alias,
        datatype,
        new Uint8Array(Buffer.from(unit)),
      )
      definition.quality = quality
      definitions.add(definition)
    }
    found.device.definitions = definitions
    found.device.isKnown = true
    if (device === '') found.node.bdSeq = bdSeq
  }

  #failed(error: Error): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#context.log.warn('births of edge nodes could not be remembered', { error: error.message })
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()

const keptOf = ({ group, id, bdSeq }: Node, { id: device, definitions }: Device): Kept => ({
  group,
  node: id,
  device,
  bdSeq,
  metrics: [...definitions.byName].map((one) => [
    one.name(),
    one.alias,
    one.datatype,
    Buffer.from(one.unit).toString(),
    one.quality,
  ]),
})
