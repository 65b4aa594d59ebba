// Memory that small writes are gathered in before they go to a socket. A slab is somebody's for one turn of the event
// loop; a connection that is idle holds none. What the socket could not take at once keeps its slab, and a new one takes
// its place.

/** What one read brings: as many answers, or small requests of the same size, as a turn makes. */
export const SLAB_BYTES = 64 * 1024
/** Slabs that are kept for the next turn. */
const MAX_FREE = 8

export class Slabs {
  readonly #free: Buffer[] = []

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
  }

  /** Nobody reads it any more. */
  give(slab: Buffer): void {
    if (slab.length === SLAB_BYTES && this.#free.length < MAX_FREE) this.#free.push(slab)
  }
}
