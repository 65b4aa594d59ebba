// The subscriptions that our session at the broker may have, kept over restarts: a broker goes on with all of them until it
// is told otherwise, also with those that have been taken out of the file since.

import type { ReceiverContext } from '../../graph/component.ts'
import type { State } from '../../storage/state.ts'
import { storageOf } from '../../storage/storage.ts'

export class RememberedFilters {
  /** Those of earlier times that are not among the present ones. */
  old: readonly string[] = []
  readonly #context: ReceiverContext
  readonly #storage: string | undefined
  readonly #present: readonly string[]
  #state: State | undefined
  #writing: Promise<void> = Promise.resolve()

  /** Without `storage` nothing is remembered. */
  constructor(context: ReceiverContext, storage: string | undefined, present: readonly string[]) {
    this.#context = context
    this.#storage = storage
    this.#present = present
  }

  async open(): Promise<void> {
    if (this.#storage === undefined) return
    let known: string[] = []
    this.#state = await storageOf(this.#context, this.#storage).openState({
      owner: this.#context,
      name: 'subscriptions',
      version: 1,
      restore: ({ snapshot }) => {
        if (snapshot !== undefined) known = JSON.parse(Buffer.from(snapshot.bytes).toString()) as string[]
      },
    })
    this.old = known.filter((filter) => !this.#present.includes(filter))
    // Before the first of them is asked for: a crash in between leaves one too many, never one too few.
    await this.#write([...known, ...this.#present.filter((filter) => !known.includes(filter))])
  }

  /** The present ones stand, and no others. */
  remember(): void {
    if (this.old.length === 0) return
    this.old = []
    this.#writing = this.#writing.then(() => this.#write(this.#present))
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#state?.close()
    this.#state = undefined
  }

  async #write(filters: readonly string[]): Promise<void> {
    try {
      await this.#state?.snapshot(Buffer.from(JSON.stringify(filters)))
    } catch (error) {
      this.#context.log.warn('subscriptions could not be remembered', { error: (error as Error).message })
    }
  }
}
