// Joins batches by keeping their parts side by side: concatenated protobuf messages are the merged message.

import { Delivery } from '../delivery/delivery.ts'
import { Batch } from './batch.ts'
import type { Signal } from './signal.ts'

/**
 * Whether requests of that signal can stand side by side. Profiles cannot: each request has one dictionary, to which
 * its profiles refer by position.
 */
export const canMerge = (signal: Signal): boolean => signal !== 'profiles'

/** One batch of several of one signal, at least one, copying nothing. What happens to it happens to each of them. */
export function mergeBatches(batches: readonly Batch[]): Batch {
  const first = batches[0]!
  if (batches.length === 1) return first
  if (!canMerge(first.signal)) throw new Error(`invariant: ${first.signal} cannot be merged`)
  const parts: Uint8Array[] = []
  let items = 0
  for (const batch of batches) {
    if (batch.signal !== first.signal) throw new Error(`invariant: ${batch.signal} merged into ${first.signal}`)
    for (const part of batch.parts) parts.push(part)
    items += batch.items
  }
  return new Batch(first.signal, parts, items, Delivery.merge(batches.map((batch) => batch.delivery)), first.client)
}

/** The parts as one array: a copy, unless there is one part. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
