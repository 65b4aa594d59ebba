// Devices that fall silent, and clocks that are off: a look at all of them every so often.
//
//   manufacturing.device.up            1 or 0, for each device whose interval is known
//   manufacturing.device.clock_skew    seconds that its clock is behind: the median of receipt minus what it writes
//   manufacturing.device.offline, .online    events, when it falls silent and when it is back
//
// The series of a device that falls silent, or is said to be gone, end with points that have no value.
//
// What a device or its last will says of itself (decoder `status`) counts more: then this says nothing until it sends again.

import { bool, duration, float, type Infer, object } from '../../config/schema.ts'
import type { Clock, Timer } from '../../graph/clock.ts'
import { judge, PRESENCE } from '../../readings/liveness.ts'
import { SEVERITY } from '../../readings/log-entry.ts'
import { KIND, type Metrics, Naming, PLAIN_NAMING } from '../../readings/naming.ts'
import type { Readings } from '../../readings/readings.ts'
import type { Sources } from '../../readings/sources.ts'
import { Stream } from '../../readings/stream.ts'

export const watchConfig = object({
  everyMs: duration('every', {
    default: '30s',
    min: '1s',
    doc: 'How often all devices are looked at and their metrics sent.',
  }),
  silenceFactor: float('silence_factor', {
    default: 3,
    min: 1,
    doc: 'A device is silent after so many of its own intervals, which are learned.',
  }),
  endSeries: bool('end_series', {
    default: true,
    doc: 'When a device falls silent, or a status or last will says that it is gone, its series end: each has a point that says that no value was recorded, so that backends do not go on with the last one.',
  }),
  minSilenceMs: duration('min_silence', { default: '1m', min: '1s', doc: 'And never before this.' }),
})
type WatchConfig = Infer<typeof watchConfig>

export class DeviceWatch {
  readonly #config: WatchConfig
  readonly #sources: Sources
  readonly #readings: Readings
  readonly #naming: Naming
  readonly #clock: Clock
  readonly #send: () => void
  #timer: Timer | undefined

  /** `send` takes what stands in the readings to the pipelines. */
  constructor(
    config: WatchConfig,
    sources: Sources,
    readings: Readings,
    metrics: Metrics,
    clock: Clock,
    send: () => void,
  ) {
    this.#config = config
    this.#sources = sources
    this.#readings = readings
    this.#naming = new Naming(metrics, PLAIN_NAMING)
    this.#clock = clock
    this.#send = send
  }

  start(): void {
    this.#timer = this.#clock.after(this.#config.everyMs, () => {
      this.#look()
      this.start()
    })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Cut off from the broker: all devices are unknown, not offline. */
  forget(): void {
    for (const { presence } of this.#sources) presence?.forget()
  }

  #look(): void {
    const nowMs = this.#clock.now()
    const out = this.#readings
    for (const source of this.#sources) {
      const { presence } = source
      if (presence === undefined) continue
      const verdict = judge(presence, nowMs, this.#config)
      if (verdict === PRESENCE.UNKNOWN) continue
      const isUp = verdict === PRESENCE.UP || verdict === PRESENCE.CAME_BACK
      out.begin(Stream.of(source, this.#naming), nowMs)
      out.noSignOfLife()
      out.kind = KIND.GAUGE
      out.readingOf('manufacturing.device.up', '1', isUp ? 1 : 0)
      const skewMs = presence.skew.medianMs()
      if (isUp && !Number.isNaN(skewMs)) out.readingOf('manufacturing.device.clock_skew', 's', skewMs / 1000)
      if (verdict === PRESENCE.FELL_SILENT) out.endSeries()
      if (verdict === PRESENCE.UP || verdict === PRESENCE.SILENT) continue
      out.log({
        body: isUp
          ? 'the device sends again'
          : `the device has sent nothing for ${Math.round((nowMs - presence.seenMs) / 1000)} s`,
        severity: isUp ? SEVERITY.INFO : SEVERITY.WARN,
        event: isUp ? 'manufacturing.device.online' : 'manufacturing.device.offline',
      })
    }
    this.#send()
  }
}
