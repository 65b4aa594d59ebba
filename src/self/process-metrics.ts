// What the process uses (Collector reference 6.3). Time and memory of the whole belong to the supervisor's registry;
// every thread adds its own heap.

import { cpuUsage, memoryUsage } from 'node:process'
import { getHeapStatistics } from 'node:v8'
import type { Clock } from '../graph/clock.ts'
import type { Meter } from './meter.ts'

/** Call it once per process, on the supervisor. */
export function observeProcess(meter: Meter, clock: Clock): void {
  const startedAt = clock.monotonic()
  const counter = { monotonic: true }
  meter.observe('process_uptime', 's', 'Time since the start of the process.', uptimeSeconds, counter)
  meter.observe('process_cpu_seconds', 's', 'Processor time of all threads, user and system.', cpuSeconds, counter)
  meter.observe('process_memory_rss', 'By', 'Physical memory of the process (resident set).', () => memoryUsage.rss())

  function uptimeSeconds(): number {
    return (clock.monotonic() - startedAt) / 1000
  }
}

/** Call it once per thread: heaps belong to threads and add up. */
export function observeHeap(meter: Meter): void {
  meter.observe(
    'process_runtime_heap_alloc_bytes',
    'By',
    'JavaScript heap in use, of all threads.',
    () => getHeapStatistics().used_heap_size,
  )
  // Not the address space: V8 reserves many GiB of it that it never uses.
  meter.observe(
    'process_runtime_total_sys_memory_bytes',
    'By',
    'Memory that V8 has obtained from the system for heaps and buffers, of all threads.',
    () => {
      const { total_heap_size, malloced_memory, external_memory } = getHeapStatistics()
      return total_heap_size + malloced_memory + external_memory
    },
  )
  meter.observe(
    'process_runtime_total_alloc_bytes',
    'By',
    'Bytes ever allocated on the JavaScript heaps.',
    () => getHeapStatistics().total_allocated_bytes,
    { monotonic: true },
  )
}

function cpuSeconds(): number {
  const { user, system } = cpuUsage()
  return (user + system) / 1e6
}
