// Refuses telemetry while memory is short, so that senders wait instead of the router dying.
//
//   0 ------------------------- soft = limit - spike ------------- limit
//        take everything              collect garbage now and then,     collect garbage eagerly,
//                                     refuse if still above soft        refuse if still above soft
//
// Usage is looked at every check_interval; what is decided there holds until the next look (reference/otelcol-core.md
// 3.5). One limiter serves all pipelines that name its id. Each shard has one, and all of them look at what all shards use
// together: the limit is the router's. A shard collects its own garbage only.

import { DeliveryError, WHEN_THERE_IS_ROOM } from '../../delivery/error.ts'
import type { Timer } from '../../graph/clock.ts'
import { type Output, type Processor, type ProcessorContext, shareOf } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import { ITEM_NOUN, type Signal } from '../../otlp/signal.ts'
import { ITEM_UNIT, ITEM_WORDS } from '../../self/item-words.ts'
import type { Counter } from '../../self/meter.ts'
import type { MemoryLimiterConfig } from './config.ts'
import type { Memory } from './memory.ts'

const MIB = 2 ** 20
/** A forced collection that brings back less than this share of what was used was hardly worth it. */
const WORTHWHILE_SHARE = 0.05
/** Spike where none is configured, as a share of the limit. */
const DEFAULT_SPIKE_SHARE = 0.2

/** Limits in bytes; `softBytes` is below `limitBytes`. */
export interface Limits {
  readonly limitBytes: number
  readonly softBytes: number
}

export function limitsOf(config: MemoryLimiterConfig, totalBytes: () => number): Limits {
  let limitBytes = config.limitMib * MIB
  let spikeBytes = config.spikeLimitMib * MIB
  if (config.limitMib === 0) {
    const total = totalBytes()
    limitBytes = Math.floor((config.limitPercentage * total) / 100)
    spikeBytes = Math.floor((config.spikeLimitPercentage * total) / 100)
  }
  if (spikeBytes === 0) spikeBytes = Math.floor(limitBytes * DEFAULT_SPIKE_SHARE)
  return { limitBytes, softBytes: limitBytes - spikeBytes }
}

/** The least time to the next forced collection; it doubles after one that was hardly worth it. */
class CollectionGate {
  readonly #minMs: number
  readonly #maxMs: number
  #intervalMs: number

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs
    this.#maxMs = maxMs
    this.#intervalMs = minMs
  }

  isOpen(sinceLastMs: number): boolean {
    return sinceLastMs > this.#intervalMs
  }

  /** `firstMs`: where doubling begins for an interval of 0. */
  report(worthwhile: boolean, firstMs: number): void {
    if (worthwhile || this.#maxMs === 0) this.#intervalMs = this.#minMs
    else this.#intervalMs = Math.max(this.#minMs, Math.min(this.#maxMs, Math.max(firstMs, this.#intervalMs * 2)))
  }
}

interface SignalCounters {
  readonly accepted: Counter
  readonly refused: Counter
}

export class MemoryLimiter implements Processor {
  readonly #config: MemoryLimiterConfig
  readonly #context: ProcessorContext
  readonly #memory: Memory
  readonly #limits: Limits
  /** Of this shard. */
  readonly #spikeShareBytes: number
  readonly #softGate: CollectionGate
  readonly #hardGate: CollectionGate
  readonly #counters: Partial<Record<Signal, SignalCounters>> = {}
  #lastCollectionMs = -Infinity
  #refusing = false
  /** Taken since the last look at memory. */
  #sinceLookBytes = 0
  #timer: Timer | undefined

  constructor(config: MemoryLimiterConfig, context: ProcessorContext, memory: Memory) {
    this.#config = config
    this.#context = context
    this.#memory = memory
    this.#limits = limitsOf(config, () => memory.totalBytes())
    this.#spikeShareBytes = shareOf(this.#limits.limitBytes - this.#limits.softBytes, context.shards)
    this.#softGate = new CollectionGate(config.minGcIntervalSoftMs, config.maxGcIntervalSoftMs)
    this.#hardGate = new CollectionGate(config.minGcIntervalHardMs, config.maxGcIntervalHardMs)
    this.#countersOf(context.signal)
  }

  get refusing(): boolean {
    return this.#refusing
  }

  start(): void {
    const { limitBytes, softBytes } = this.#limits
    this.#context.log.info('Memory limiter configured', {
      limit_mib: toMib(limitBytes),
      spike_limit_mib: toMib(limitBytes - softBytes),
      check_interval_seconds: this.#config.checkIntervalMs / 1000,
    })
    this.#memory.usedBytes() // for the others, ahead of the first look
    this.#timer = this.#context.clock.every(this.#config.checkIntervalMs, () => this.check())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  process(batch: Batch, out: Output): void {
    const counters = this.#countersOf(batch.signal)
    if (this.#refusing) {
      counters.refused.add(batch.items)
      batch.delivery.refuse(
        new DeliveryError('MEMORY_LIMITED', 'data refused due to high memory usage', { retry: WHEN_THERE_IS_ROOM }),
      )
      return
    }
    counters.accepted.add(batch.items)
    // The spike is what may come between two looks: when that much has come, the next look is due.
    this.#sinceLookBytes += batch.byteLength
    if (this.#sinceLookBytes >= this.#spikeShareBytes) this.check()
    out.send(batch)
  }

  /** Looks at memory, collects garbage where that is due, and decides whether to refuse until the next look. */
  check(): void {
    const { limitBytes, softBytes } = this.#limits
    const log = this.#context.log
    this.#sinceLookBytes = 0
    const own = this.#memory.usedBytes()
    let used = own + this.#memory.usedElsewhereBytes()
    if (used >= limitBytes) used = this.#collect(own, used, this.#hardGate, 'hard')
    else if (used >= softBytes) used = this.#collect(own, used, this.#softGate, 'soft')

    const refusing = used >= softBytes
    if (refusing === this.#refusing) return
    this.#refusing = refusing
    if (refusing) {
      log.warn('Memory usage is above soft limit. Refusing data.', { cur_mem_mib: toMib(used) })
      this.#context.report('recoverable', new Error('data refused due to high memory usage'))
    } else {
      log.info('Memory usage back within limits. Resuming normal operation.', { cur_mem_mib: toMib(used) })
      this.#context.report('ok')
    }
  }

  /** What all use after that. */
  #collect(own: number, used: number, gate: CollectionGate, which: 'soft' | 'hard'): number {
    const now = this.#context.clock.monotonic()
    if (!gate.isOpen(now - this.#lastCollectionMs)) return used
    const text = `Memory usage is above ${which} limit. Forcing a GC.`
    if (which === 'hard') this.#context.log.warn(text, { cur_mem_mib: toMib(used) })
    else this.#context.log.info(text, { cur_mem_mib: toMib(used) })
    this.#memory.collect()
    const ownLeft = this.#memory.usedBytes()
    const left = ownLeft + this.#memory.usedElsewhereBytes()
    this.#lastCollectionMs = this.#context.clock.monotonic()
    gate.report(own - ownLeft >= own * WORTHWHILE_SHARE, this.#config.checkIntervalMs)
    this.#context.log.info('Memory usage after GC.', { cur_mem_mib: toMib(left) })
    return left
  }

  #countersOf(signal: Signal): SignalCounters {
    let counters = this.#counters[signal]
    if (counters === undefined) {
      // They appear with their first value, as in the Collector.
      const make = (verb: 'accepted' | 'refused', end: string): Counter =>
        this.#context.meter.counter(
          `processor_memory_limiter_${verb}_${ITEM_NOUN[signal]}`,
          ITEM_UNIT[signal],
          `Number of ${ITEM_WORDS[signal]} ${end}.`,
          { onceUsed: true },
        )
      counters = {
        accepted: make('accepted', 'passed on'),
        refused: make('refused', 'refused because memory was short'),
      }
      this.#counters[signal] = counters
    }
    return counters
  }
}

const toMib = (bytes: number): number => Math.floor(bytes / MIB)
