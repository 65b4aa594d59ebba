// What a server remembers of streams that have ended (RFC 9113 5.1): frames may still be on their way to a stream that we
// reset, while on one that the client itself ended they are a mistake. Bounded; what is forgotten counts as never opened.

const REMEMBERED = 512

export class ClosedStreams {
  readonly #ids = new Int32Array(REMEMBERED)
  readonly #resetByUs = new Uint8Array(REMEMBERED)
  #next = 0

  add(id: number, resetByUs: boolean): void {
    this.#ids[this.#next] = id
    this.#resetByUs[this.#next] = resetByUs ? 1 : 0
    this.#next = (this.#next + 1) % REMEMBERED
  }

  find(id: number): 'ended' | 'reset by us' | undefined {
    const at = this.#ids.indexOf(id)
    if (at < 0) return undefined
    return this.#resetByUs[at] === 1 ? 'reset by us' : 'ended'
  }
}
