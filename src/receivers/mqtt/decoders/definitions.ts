// What senders have said of their fields apart from their values, in messages of their own: units, and the texts of on and off.
//
//   owner, such as a topic or a writer ──▶ field ──▶ definition
//
// A message that says it again replaces what was said before. Such messages are retained as a rule, so they come first.

import { BadPayload } from '../../../readings/bad-payload.ts'

export interface FieldDefinition {
  /** As the sender writes it. */
  readonly unit: Uint8Array
  /** Numbers of its texts. */
  readonly words: ReadonlyMap<string, number>
}
export type FieldDefinitions = ReadonlyMap<string, FieldDefinition>

export const NO_FIELDS: FieldDefinitions = new Map()

const FIELDS_MAX = 100_000

/** Of a resource. */
export type Description = readonly (readonly [key: string, value: string])[]

export class Definitions {
  readonly #byOwner = new Map<string, FieldDefinitions>()
  /** At most as many as there are owners with fields. */
  readonly #descriptions = new Map<string, Description>()
  #fields = 0

  /** Those of one owner; empty where nothing was said. */
  of(owner: string): FieldDefinitions {
    return this.#byOwner.get(owner) ?? NO_FIELDS
  }

  get isEmpty(): boolean {
    return this.#fields === 0
  }

  /** Throws BadPayload for more than anybody has. */
  learn(owner: string, fields: FieldDefinitions): void {
    const after = this.#fields - this.of(owner).size + fields.size
    if (after > FIELDS_MAX) throw new BadPayload('unknown', `more than ${FIELDS_MAX} fields are defined`)
    this.#fields = after
    if (fields.size === 0) {
      this.#byOwner.delete(owner)
      this.#descriptions.delete(owner)
    } else this.#byOwner.set(owner, fields)
  }

  /** What an owner with fields is; the same object as long as the same is said. */
  describe(owner: string, description: Description): void {
    if (!this.#byOwner.has(owner)) return
    if (JSON.stringify(this.#descriptions.get(owner)) !== JSON.stringify(description))
      this.#descriptions.set(owner, description)
  }

  descriptionOf(owner: string): Description | undefined {
    return this.#descriptions.get(owner)
  }
}

type Fields = Readonly<Record<string, unknown>>

/** Parts of parsed JSON as what they should be; empty where they are not. */
export const asFields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
export const asText = (value: unknown): string => (typeof value === 'string' ? value : '')
