// What is known of an edge node: its session, its devices, and what each metric of theirs is. Births say it, data rely on it.
//
//   EdgeNode ── bdSeq, sequence, held messages
//     └─ Device (the node itself under the empty name)
//          └─ Definition   by name and by alias: data type, unit, the encoded metric
//
// An alias is unique in the whole edge node, says the specification. It is looked up in the device that the topic names:
// that is the same for who keeps to it, and right for those who count in each device from 0.

import { ByteTable } from '../../../collections/byte-table.ts'
import type { Timer } from '../../../graph/clock.ts'
import type { Marks } from '../../../readings/log-entry.ts'
import type { Slot } from '../../../readings/naming.ts'
import type { Stream } from '../../../readings/stream.ts'
import type { Alias, MetricView } from '../../../sparkplug/metric-view.ts'
import { Sequence } from '../../../sparkplug/sequence.ts'

export class Definition {
  /** The name, with those of enclosing templates in front. */
  readonly key: Uint8Array
  readonly alias: Alias
  readonly datatype: number
  /** As the plant writes it; may be empty. */
  readonly unit: Uint8Array
  /** Once it has a reading: of this generation of sources. */
  slot: Slot | undefined
  generation = -1
  /** Index of the marks that its quality gives it, until data say another. */
  quality = 0
  /** It has a value that nobody has taken back; under these marks. */
  isLive = false
  marks: Marks | undefined
  /** Of an array: elements of the last value. */
  elements = 0

  constructor(key: Uint8Array, alias: Alias, datatype: number, unit: Uint8Array) {
    this.key = key
    this.alias = alias
    this.datatype = datatype
    this.unit = unit
  }

  name(): string {
    return Buffer.from(this.key).toString()
  }
}

/** The metrics of one device: replaced as a whole by its birth. */
export class Definitions {
  readonly byName = new ByteTable<Definition>()
  readonly #byAlias = new Map<Alias, Definition>()

  get size(): number {
    return this.byName.size
  }

  /** What data mean: by name where they have one that is known, else by alias, where the birth of that alias still stands. */
  find(view: MetricView, hasAliases: boolean): Definition | undefined {
    if (view.nameTo > view.nameFrom) {
      const named = this.byName.find(view.bytes, view.nameFrom, view.nameTo)
      if (named !== undefined) return named
    }
    return view.alias === -1 || !hasAliases ? undefined : this.#byAlias.get(view.alias)
  }

  byAlias(alias: Alias): Definition | undefined {
    return this.#byAlias.get(alias)
  }

  add(definition: Definition): Definition {
    this.byName.add(definition)
    if (definition.alias !== -1) this.#byAlias.set(definition.alias, definition)
    return definition
  }
}

export class Device {
  /** Empty: the edge node itself. */
  readonly id: string
  readonly stream: Stream
  definitions = new Definitions()
  /** Its birth has come, or is remembered. */
  isKnown = false
  /** Undefined: nobody has said. */
  isOnline: boolean | undefined

  constructor(id: string, stream: Stream) {
    this.id = id
    this.stream = stream
  }
}

/** A message that came before its turn; its bytes are its own. */
export interface Held<Entry> {
  readonly entry: Entry
  readonly seq: number
  readonly bytes: Uint8Array
  readonly receivedMs: number
}

export class EdgeNode<Entry> {
  readonly group: string
  readonly id: string
  readonly devices = new Map<string, Device>()
  readonly sequence = new Sequence()
  /** By seq, as they will be applied. */
  readonly held: Held<Entry>[] = []
  timer: Timer | undefined
  /** -1: not known. */
  bdSeq = -1
  /** Since we are connected no birth of it has come: what it told before may have changed meanwhile. */
  needsBirth = true
  isOnline = false
  /** When it was asked for a rebirth. */
  askedMs = Number.NEGATIVE_INFINITY

  constructor(group: string, id: string) {
    this.group = group
    this.id = id
  }

  get metrics(): number {
    let sum = 0
    for (const { definitions } of this.devices.values()) sum += definitions.size
    return sum
  }
}
