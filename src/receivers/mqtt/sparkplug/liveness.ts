// Edge nodes and devices that come and go, by what births and deaths say.
//
//   manufacturing.device.up                            1 at each birth, 0 at each death
//   manufacturing.device.online, .offline              events, when it was not so before
//   points without a value                             for every metric whose value nobody knows any more

import { SEVERITY } from '../../../readings/log-entry.ts'
import type { Naming } from '../../../readings/naming.ts'
import { KIND } from '../../../readings/naming.ts'
import type { Readings } from '../../../readings/readings.ts'
import { Stream } from '../../../readings/stream.ts'
import type { Definition, Device } from './edge-node.ts'
import type { MetricWriter } from './metric-writer.ts'

export class Liveness {
  readonly #naming: Naming
  readonly #out: Readings
  readonly #writer: MetricWriter

  constructor(naming: Naming, out: Readings, writer: MetricWriter) {
    this.#naming = naming
    this.#out = out
    this.#writer = writer
  }

  birth(device: Device, receivedMs: number): void {
    const wasOnline = device.isOnline
    device.isOnline = true
    this.#tell(device, receivedMs, receivedMs, true, wasOnline !== true)
  }

  /** `atMs` is when it died; `receivedMs` when we heard of it. */
  death(device: Device, receivedMs: number, atMs: number): void {
    const wasOnline = device.isOnline
    device.isOnline = false
    device.isKnown = false
    this.end(device, receivedMs, atMs)
    if (wasOnline !== false) this.#tell(device, receivedMs, atMs, false, true)
  }

  /** Its values are no longer known; whether it is there nobody says. */
  end(device: Device, receivedMs: number, atMs = receivedMs): void {
    const out = this.#out
    out.begin(device.stream, receivedMs)
    out.noSignOfLife()
    out.atMillis(atMs)
    for (const definition of device.definitions.byName) if (definition.isLive) this.#writer.end(definition)
  }

  endOne(device: Device, definition: Definition, receivedMs: number): void {
    this.#out.begin(device.stream, receivedMs)
    this.#writer.end(definition)
  }

  #tell(device: Device, receivedMs: number, atMs: number, isUp: boolean, isNews: boolean): void {
    const { source } = device.stream
    if (source === undefined) return
    const out = this.#out
    out.begin(Stream.of(source, this.#naming), receivedMs)
    if (!isUp) out.gone()
    out.atMillis(atMs)
    out.kind = KIND.GAUGE
    out.readingOf('manufacturing.device.up', '1', isUp ? 1 : 0)
    if (!isNews) return
    out.log({
      body: isUp ? 'the birth of the device has come' : 'the death of the device has come',
      severity: isUp ? SEVERITY.INFO : SEVERITY.WARN,
      event: isUp ? 'manufacturing.device.online' : 'manufacturing.device.offline',
    })
  }
}
