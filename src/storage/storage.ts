// What a storage extension offers to the components that name it (`sending_queue.storage`, `storage`). Call it in start():
//
//   const store = storageOf(context, this.#config.storage)
//   this.#queue = await store.openQueue({ owner: context, signal: 'traces', events })
//   this.#state = await store.openState({ owner: context, name: 'windows', version: 1, restore })
//
// What was opened is closed by its owner, in stop(); the extension is stopped after that.

import type { QueueEvents, RecordQueue } from './disk-queue.ts'
import type { Owner } from './names.ts'
import type { State, StateOwner } from './state.ts'

/** A component in one shard, whose own its queues and state are; a component's context is one. */
export interface ShardOwner extends Owner {
  readonly shards: { readonly index: number; readonly count: number }
}

export interface QueueRequest {
  readonly owner: ShardOwner
  readonly signal: string
  readonly events: QueueEvents
}

export interface StateRequest extends StateOwner {
  readonly owner: ShardOwner
  /** Of one of several states that a component keeps; letters, digits, `-` and `_`. */
  readonly name?: string
}

export interface Storage {
  /**
   * The queue of the owner's shard. What shards have left behind that there are no more of is in it too, each for one of
   * the shards that there are. Rejects with words when it cannot be: in use, of an unknown version, not writable.
   */
  openQueue(request: QueueRequest): Promise<RecordQueue>
  /** The state of the owner's shard. */
  openState(request: StateRequest): Promise<State>
}

/** The storage extension with that id. Throws words for people when it does not run, or is none. */
export function storageOf(context: { extension(id: string): unknown }, id: string): Storage {
  const found = context.extension(id)
  if (found === undefined) throw new Error(`the storage extension ${id} does not run: add it to service.extensions`)
  if (typeof (found as Partial<Storage>).openQueue !== 'function')
    throw new Error(`the extension ${id} stores nothing: name one that does, for example file_storage`)
  return found as Storage
}
