// Asks for a collection after so many bytes were read back from disk.
//
// What a queue reads lies in array buffers, some hundred KiB each, which are garbage a moment later. A shard lets V8 gather a
// lot of those before it marks its heap (src/shards/heap.ts), which is right at the door and costs memory where gigabytes are
// read back: draining 2 GiB peaked at 290 MiB. With a collection for every 48 MiB it peaks at 200 MiB, for 0.1 CPU-seconds per
// million spans. Nothing is asked for while records come from memory.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const COLLECT_EVERY_BYTES = 48 * 2 ** 20

/** One for all that is read in a thread. */
export class ReadGarbage {
  #bytes = 0
  #collect: (() => void) | undefined

  /** Notes that so many bytes were read into buffers of their own. */
  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < COLLECT_EVERY_BYTES) return
    this.#bytes = 0
    this.#collect ??= exposed()
    this.#collect()
  }
}

/** V8's collection, which is only in contexts that are made after the flag is set. */
function exposed(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return () => collect()
}
