// group_by: which resources of a batch go to which file.
//
// A request's resources are cut out as they stand, with their tags, so the pieces of a group side by side are a request.

import { posix } from 'node:path'
import type { Batch } from '../../otlp/batch.ts'
import { checkRequest } from '../../otlp/check.ts'
import { EXPORT_PROFILES_SERVICE_REQUEST, KEY_VALUE, RESOURCE, RESOURCE_SPANS } from '../../otlp/fields.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'

// The same numbers in every signal: the resources of a request, and the resource of such an entry.
const RESOURCES = 1
const OWN_RESOURCE = RESOURCE_SPANS.RESOURCE

export interface Group {
  readonly segment: string
  readonly parts: readonly Uint8Array[]
  readonly items: number
}

export interface Groups {
  readonly groups: readonly Group[]
  /** Items of resources that do not have the attribute, or not as a string. */
  readonly droppedItems: number
}

export function groupsOf(batch: Batch, attribute: string): Groups {
  const groups = new Map<string, { parts: Uint8Array[]; items: number }>()
  // What profiles refer to goes into every file.
  const dictionaries: Uint8Array[] = []
  let droppedItems = 0
  for (const part of batch.parts) {
    for (const c = new Cursor().reset(part); c.next(); ) {
      if (c.wireType !== 2) continue
      const piece = part.subarray(c.at, c.end)
      if (batch.signal === 'profiles' && c.field === EXPORT_PROFILES_SERVICE_REQUEST.DICTIONARY)
        dictionaries.push(piece)
      if (c.field !== RESOURCES) continue
      const segment = attributeText(part, c.start, c.end, attribute)
      const items = checkRequest(batch.signal, piece)
      if (segment === undefined) {
        droppedItems += items
        continue
      }
      const group = groups.get(segment) ?? { parts: [], items: 0 }
      group.parts.push(piece)
      group.items += items
      groups.set(segment, group)
    }
  }
  return {
    groups: [...groups].map(([segment, { parts, items }]) => ({ segment, parts: [...parts, ...dictionaries], items })),
    droppedItems,
  }
}

/** The string under `key` among the attributes of the resource of the entry in `bytes[from, to)`. */
function attributeText(bytes: Uint8Array, from: number, to: number, key: string): string | undefined {
  const wanted = Buffer.from(key)
  const view = new ValueView()
  for (const entry = new Cursor().reset(bytes, from, to); entry.find(OWN_RESOURCE); ) {
    for (const c = new Cursor().reset(bytes, entry.start, entry.end); c.find(RESOURCE.ATTRIBUTES); ) {
      let isWanted = false
      let value: string | undefined
      for (const inside = new Cursor().reset(bytes, c.start, c.end); inside.next(); ) {
        if (inside.wireType !== 2) continue
        if (inside.field === KEY_VALUE.KEY) isWanted = wanted.equals(bytes.subarray(inside.start, inside.end))
        if (inside.field === KEY_VALUE.VALUE) {
          const { type } = view.reset(bytes, inside.start, inside.end)
          value = type === VALUE.STRING ? view.toText() : undefined
        }
      }
      if (isWanted) return value
    }
  }
  return undefined
}

/** `path` with `segment` in place of its *; never outside of what stands before the *. */
export function groupPath(path: string, segment: string): string {
  const [before, suffix] = path.split('*') as [string, string]
  const cleaned = posix.normalize(before)
  const prefix = before.endsWith('/') && !cleaned.endsWith('/') ? `${cleaned}/` : cleaned
  // A NUL cannot be part of a path.
  const own = segment.replaceAll('\0', '').replace(/^\.\.?(?=\/)/, '')
  const full = posix.normalize(`${prefix}${own}${suffix}`)
  return full.startsWith(prefix) ? full : posix.join(prefix, posix.join('/', `${own}${suffix}`))
}
