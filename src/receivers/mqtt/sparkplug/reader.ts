// From messages to readings: births define, data fill in, deaths end. Messages of an edge node are taken in the order of
// their seq; what comes too early is held for a while.
//
//   take ──▶ edge node ──▶ its turn?  now ──▶ apply, and then those held behind it
//                                     ahead ──▶ held ──timer──▶ lost: a rebirth is asked for, those held are applied
//                                     behind ──▶ apply; its place was given up before
//
// It knows no connection: host.ts hands it what comes and does what it asks for.

import type { Clock } from '../../../graph/clock.ts'
import { BadPayload } from '../../../readings/bad-payload.ts'
import type { Readings } from '../../../readings/readings.ts'
import type { MetricView } from '../../../sparkplug/metric-view.ts'
import { PayloadView } from '../../../sparkplug/payload-view.ts'
import { PLACE } from '../../../sparkplug/sequence.ts'
import { MalformedBytes } from '../../../wire/cursor.ts'
import type { Reason } from '../complaints.ts'
import { findBdSeq } from './bd-seq.ts'
import { BirthReader } from './births.ts'
import type { SparkplugConfig } from './config.ts'
import { type Device, EdgeNode } from './edge-node.ts'
import { Liveness } from './liveness.ts'
import type { Entry, SparkplugTopics } from './topics.ts'

export type Node = EdgeNode<Entry>

export interface ReaderEvents {
  /** A message of which not all could be read; what could is in the readings. */
  trouble(entry: Entry, reason: Reason, words: string, bytes: Uint8Array, from: number, to: number): void
  /** Only births will set it right. */
  rebirth(node: Node, why: string): void
  /** Something stands in the readings that no read of the socket will send. */
  ready(): void
  born(node: Node, device: Device): void
  gap(missing: number): void
  ignored(): void
}

const RETAINED = [['mqtt.retained', true]] as const

export class SparkplugReader {
  readonly nodes = new Map<string, Node>()
  heldMessages = 0
  heldBytes = 0
  readonly #config: SparkplugConfig
  readonly #topics: SparkplugTopics
  readonly #out: Readings
  readonly #clock: Clock
  readonly #events: ReaderEvents
  readonly #births: BirthReader
  readonly #liveness: Liveness
  readonly #payload = new PayloadView()
  /** The first thing in a message that could not be read. */
  #trouble: { reason: Reason; words: string } | undefined

  constructor(config: SparkplugConfig, topics: SparkplugTopics, out: Readings, clock: Clock, events: ReaderEvents) {
    this.#config = config
    this.#topics = topics
    this.#out = out
    this.#clock = clock
    this.#events = events
    this.#births = new BirthReader(config, out, (reason, words) => {
      this.#trouble ??= { reason, words }
    })
    this.#liveness = new Liveness(topics.plain, out, this.#births.writer)
  }

  /** A message of an edge node; `bytes` are valid until this returns. */
  take(entry: Entry, bytes: Uint8Array, from: number, to: number, receivedMs: number, isOld: boolean): void {
    const { type } = entry.topic
    if (type === 'NCMD' || type === 'DCMD' || type === 'STATE') return
    const node = this.#node(entry)
    if (node === undefined) {
      this.#events.trouble(entry, 'too_many_edge_nodes', 'an edge node beyond max_edge_nodes', bytes, from, to)
      return
    }
    if (type === 'NDEATH') {
      this.#apply(node, entry, bytes, from, to, receivedMs, false)
      return
    }
    let seq = -1
    try {
      seq = this.#payload.read(bytes, from, to).seq
    } catch (error) {
      this.#refuse(node, entry, error, bytes, from, to)
      return
    }
    if (isOld) {
      // Kept by the broker: it says what metrics are, and nothing of where the sequence stands.
      if (type.endsWith('BIRTH') && !node.isOnline) this.#apply(node, entry, bytes, from, to, receivedMs, true)
      return
    }
    if (type === 'NBIRTH') {
      // What is held belongs to the session that ends here.
      this.#release(node)
      node.sequence.last = seq
      this.#apply(node, entry, bytes, from, to, receivedMs, false)
      return
    }
    if (seq < 0) {
      this.#apply(node, entry, bytes, from, to, receivedMs, false)
      return
    }
    const place = node.sequence.place(seq)
    if (place === PLACE.AHEAD) {
      this.#hold(node, { entry, seq, bytes: bytes.slice(from, to), receivedMs })
      return
    }
    if (place === PLACE.NOW) node.sequence.last = seq
    else
      this.#events.trouble(
        entry,
        'wrong_seq',
        `seq ${seq} after ${node.sequence.last}; its data are taken`,
        bytes,
        from,
        to,
      )
    this.#apply(node, entry, bytes, from, to, receivedMs, false)
    if (node.held.length > 0) this.#drain(node)
  }

  /** Cut off from the broker: nobody knows any value, until it comes again. */
  forget(nowMs: number): void {
    for (const node of this.nodes.values()) {
      this.#release(node)
      node.needsBirth = true
      for (const device of node.devices.values()) {
        this.#liveness.end(device, nowMs)
        device.isOnline = undefined
      }
    }
  }

  /** Timers end; what is held is applied. */
  stop(): void {
    for (const node of this.nodes.values()) this.#release(node)
  }

  #node({ topic }: Entry): Node | undefined {
    const key = `${topic.group}/${topic.node}`
    const known = this.nodes.get(key)
    if (known !== undefined || this.nodes.size >= this.#config.maxEdgeNodes) return known
    const node: Node = new EdgeNode(topic.group, topic.node)
    this.nodes.set(key, node)
    return node
  }

  /** Of the node that the state of an earlier run names; undefined: there is no room. */
  restore(entry: Entry): { node: Node; device: Device } | undefined {
    const node = this.#node(entry)
    return node === undefined ? undefined : { node, device: this.#device(node, entry) }
  }

  #device(node: Node, entry: Entry): Device {
    const known = node.devices.get(entry.topic.device)
    if (known !== undefined) return known
    const device = this.#topics.device(entry)
    node.devices.set(device.id, device)
    return device
  }

  #hold(node: Node, held: Node['held'][number]): void {
    const { maxHeldMessages, maxHeldBytes, reorderTimeoutMs } = this.#config
    // Two of one number: the second is none of this round.
    if (node.held.some(({ seq }) => seq === held.seq)) {
      this.#events.trouble(held.entry, 'wrong_seq', `seq ${held.seq} twice`, held.bytes, 0, held.bytes.length)
      return
    }
    const distance = node.sequence.distance(held.seq)
    let at = node.held.length
    while (at > 0 && node.sequence.distance(node.held[at - 1]!.seq) > distance) at--
    node.held.splice(at, 0, held)
    this.heldMessages++
    this.heldBytes += held.bytes.length
    if (node.held.length > maxHeldMessages || this.heldBytes > maxHeldBytes) this.#giveUp(node)
    else
      node.timer ??= this.#clock.after(reorderTimeoutMs, () => {
        node.timer = undefined
        this.#giveUp(node)
        this.#events.ready()
      })
  }

  /** Those whose turn has come. */
  #drain(node: Node): void {
    while (node.held.length > 0 && node.sequence.place(node.held[0]!.seq) === PLACE.NOW) this.#next(node)
    if (node.held.length > 0) return
    node.timer?.cancel()
    node.timer = undefined
  }

  /** What is missing is lost. */
  #giveUp(node: Node): void {
    const { entry, bytes, seq } = node.held[0]!
    const missing = node.sequence.distance(seq)
    this.#events.gap(missing)
    this.#events.trouble(entry, 'gap', `${missing} messages before seq ${seq} have not come`, bytes, 0, 0)
    this.#events.rebirth(node, 'a gap')
    this.#release(node)
  }

  /** All that are held, in their order, whatever is missing between them. */
  #release(node: Node): void {
    node.timer?.cancel()
    node.timer = undefined
    while (node.held.length > 0) this.#next(node)
  }

  #next(node: Node): void {
    const { entry, seq, bytes, receivedMs } = node.held.shift()!
    this.heldMessages--
    this.heldBytes -= bytes.length
    node.sequence.last = seq
    this.#apply(node, entry, bytes, 0, bytes.length, receivedMs, false)
  }

  #apply(node: Node, entry: Entry, bytes: Uint8Array, from: number, to: number, ms: number, isOld: boolean): void {
    const { type } = entry.topic
    this.#trouble = undefined
    try {
      const payload = this.#payload.read(bytes, from, to)
      const device = this.#device(node, entry)
      this.#out.begin(device.stream, ms)
      if (isOld) {
        this.#out.noSignOfLife()
        this.#out.markMessage(RETAINED)
      }
      if (type === 'NBIRTH') this.#nodeBirth(node, device, entry, payload, ms, isOld)
      else if (type === 'DBIRTH') this.#birth(node, device, entry, payload, ms, isOld)
      else if (type === 'NDEATH') this.#nodeDeath(node, payload, ms)
      else if (type === 'DDEATH')
        this.#liveness.death(device, ms, Number.isNaN(payload.timestamp) ? ms : payload.timestamp)
      else this.#data(node, device, entry, payload, ms)
    } catch (error) {
      this.#out.rollBack()
      this.#refuse(node, entry, error, bytes, from, to)
      return
    }
    const trouble = this.#trouble as { reason: Reason; words: string } | undefined
    if (trouble !== undefined) this.#events.trouble(entry, trouble.reason, trouble.words, bytes, from, to)
    if (node.needsBirth && !isOld && type !== 'NBIRTH' && type !== 'NDEATH')
      this.#events.rebirth(node, 'its birth is not known')
  }

  #nodeBirth(node: Node, device: Device, entry: Entry, payload: PayloadView, ms: number, isOld: boolean): void {
    const bdSeq = findBdSeq(payload)
    const definitions = this.#births.read(device, entry, payload, ms, node.metrics - device.definitions.size)
    const isNewSession = bdSeq !== node.bdSeq
    if (isOld) {
      this.#commit(node, device, definitions, ms)
      node.bdSeq = bdSeq
      return
    }
    node.bdSeq = bdSeq
    node.isOnline = true
    node.needsBirth = false
    this.#commit(node, device, definitions, ms)
    for (const other of node.devices.values()) {
      if (other === device) continue
      // The session of the devices has ended; in a rebirth theirs follow at once, and nothing has ended.
      other.isKnown = false
      if (isNewSession && other.isOnline === true) this.#liveness.death(other, ms, ms)
    }
    this.#liveness.birth(device, ms)
  }

  #birth(node: Node, device: Device, entry: Entry, payload: PayloadView, ms: number, isOld: boolean): void {
    const others = node.metrics - device.definitions.size
    const definitions = this.#births.read(device, entry, payload, ms, others)
    this.#commit(node, device, definitions, ms)
    if (!isOld) this.#liveness.birth(device, ms)
  }

  #commit(node: Node, device: Device, definitions: Device['definitions'], ms: number): void {
    const before = device.definitions
    device.definitions = definitions
    device.isKnown = true
    // A metric that the device no longer has.
    for (const old of before.byName)
      if (old.isLive && definitions.byName.find(old.key) === undefined) this.#liveness.endOne(device, old, ms)
    this.#events.born(node, device)
  }

  #data(node: Node, device: Device, entry: Entry, payload: PayloadView, ms: number): void {
    const unknown = this.#births.data(device, entry, payload, ms, node)
    if (unknown === undefined) return
    this.#trouble = device.isKnown
      ? { reason: 'unknown_metric', words: `${wordsOf(unknown)} was in no birth` }
      : { reason: 'before_birth', words: `${wordsOf(unknown)}: no birth of it has come` }
    this.#events.rebirth(node, this.#trouble.reason)
  }

  #nodeDeath(node: Node, payload: PayloadView, ms: number): void {
    const bdSeq = findBdSeq(payload)
    // Of a session before this one, or said already by the node itself.
    if (node.bdSeq >= 0 && bdSeq >= 0 && bdSeq !== node.bdSeq) {
      this.#events.ignored()
      return
    }
    this.#release(node)
    node.sequence.forget()
    node.isOnline = false
    // Its timestamp is that of its CONNECT: when it died, we know by its coming.
    for (const device of node.devices.values()) this.#liveness.death(device, ms, ms)
  }

  #refuse(node: Node, entry: Entry, error: unknown, bytes: Uint8Array, from: number, to: number): void {
    if (error instanceof MalformedBytes) {
      this.#events.trouble(entry, 'not_sparkplug', error.message, bytes, from, to)
      this.#events.rebirth(node, 'a malformed payload')
    } else if (error instanceof BadPayload) this.#events.trouble(entry, error.reason, error.message, bytes, from, to)
    else {
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#events.trouble(entry, 'failed', words, bytes, from, to)
    }
  }
}

const wordsOf = (view: MetricView): string => (view.hasName ? view.name() : `alias ${view.alias}`)
