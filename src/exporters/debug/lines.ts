// Lines that the detailed text of every signal is made of.

import { typedValue } from './go-text.ts'
import type { Message } from './message.ts'

/** The text so far, a line each. */
export type Lines = string[]

/** `    Trace ID       : ...`: a field of a span or profile in its column. */
export const column = (name: string, value: string): string => `    ${name.padEnd(15)}: ${value}`

/** Key and value lines under a header; nothing for an empty map. A header that is itself an entry indents them. */
export function attributes(lines: Lines, header: string, owner: Message, field = 'attributes'): void {
  const entries = owner.children(field)
  if (entries.length === 0) return
  lines.push(`${header}:`)
  const indent = header.includes('->') ? header.slice(0, header.indexOf('->')) : ''
  for (const entry of entries) lines.push(`${indent}     -> ${entry.text('key')}: ${typedValue(entry.child('value'))}`)
}
