// How much memory the shards use and how much there is. A thread can read its own use alone: each tells the others.
//
// Usage is what the heap holds plus what array buffers hold, garbage that was not collected yet included: the nearest to
// the Collector's "heap alloc". Telemetry lives in array buffers, outside of the heap. It is not the resident set: pages
// that the allocator keeps for later use count there, so that a limiter which reads it would go on refusing long after
// the data had left. Code, stacks, native libraries and pages kept for later use come on top.
//
// `external` of process.memoryUsage() is not used: it lags behind a collection, arrayBuffers does not.

import { totalmem } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ShardPlace } from '../../graph/component.ts'
import { UsageTable } from '../../graph/usage-table.ts'

/** The limiter's view of memory, handed in so that tests own it. */
export interface Memory {
  /** Bytes in use by this thread; the other shards are told. About 7 microseconds. */
  usedBytes(): number
  /** Bytes in use by the other shards, as each of them found at its last look. */
  usedElsewhereBytes(): number
  /** Collects all garbage now; stops the thread for some milliseconds. */
  collect(): void
  /** The container's limit (cgroup v1 or v2), or the machine's memory. */
  totalBytes(): number
}

export function systemMemory({ index, memory }: ShardPlace): Memory {
  const table = memory === undefined ? undefined : new UsageTable(memory)
  let gc: (() => void) | undefined
  return {
    usedBytes() {
      const usage = process.memoryUsage()
      const used = usage.heapUsed + usage.arrayBuffers
      table?.publish(index, used)
      return used
    },
    usedElsewhereBytes: () => table?.bytesBeside(index) ?? 0,
    collect() {
      if (gc === undefined) {
        // Node hands out gc() only under --expose-gc; set at run time, the flag holds for contexts made afterwards.
        setFlagsFromString('--expose-gc')
        gc = runInNewContext('gc') as () => void
      }
      gc()
      // Array buffers are freed by a sweeper beside the thread; a second collection waits until it is through
      // (measured: 97 of 100 MiB still counted after the first).
      gc()
    },
    totalBytes() {
      const machine = totalmem()
      // 0 or a number beyond the machine's memory where there is no limit.
      const container = process.constrainedMemory()
      return container > 0 && container < machine ? container : machine
    },
  }
}
