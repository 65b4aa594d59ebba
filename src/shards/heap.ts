// How V8 collects garbage, and when it optimizes, in the threads of a process whose work is bytes outside of the heap.
//
// Requests are array buffers of some hundred KiB beside a heap of some 12 MiB. By default every 64 MiB of them make V8
// mark the whole heap: 15 to 25 times for a million spans, half of the router's CPU. Counted into the limit of the whole
// heap, which starts higher, they make it a few times. Measured on pass-through with 1000 spans a request, CPU-seconds
// per million spans at the door: 1.4 by default, 0.7 with either flag, 0.5 with both; the peak grows by some 30 MiB.
//
// A router at a plant's pace calls its functions some hundred times a second, and V8 would run them half optimized for
// minutes. It optimizes them after a fifth of its usual calls here: measured with 20,000 spans a second in requests of
// 100, CPU-seconds per million spans in the first half minute: 2.3 before, 1.9 with this.

import { setFlagsFromString } from 'node:v8'

/** Start of the heap's limit in a shard; nothing is allocated for it. MiB. */
const SHARD_INITIAL_HEAP_MIB = 96

/** V8's flags of a shard. */
export const SHARD_FLAGS: readonly string[] = [
  '--external-memory-accounted-in-global-limit',
  `--initial-heap-size=${SHARD_INITIAL_HEAP_MIB}`,
  '--invocation-count-for-maglev=100',
  '--invocation-count-for-turbofan=600',
  '--minimum-invocations-after-ic-update=100',
]

/** Call it before a shard's thread is made: V8 reads some of them when a heap is set up. */
export function prepareShardHeap(): void {
  for (const flag of SHARD_FLAGS) setFlagsFromString(flag)
}

/** While the supervisor loads, its young generation stays small: it makes garbage once, and would keep 8 MiB for it. */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/** V8's default again: what runs from here on may grow. */
export function letYoungGenerationGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2')
}
