// Whether a component of one configuration is still the same in another: what a reload may keep.
//
// Equal are the values that its schema understands, defaults written out, so that neither the place of a text nor the
// way it is written matters. A component that names an extension (an authenticator, a storage) is the same only while
// that extension is.

import { isDeepStrictEqual } from 'node:util'
import type { Schema } from '../config/schema.ts'
import type { AnyFactory, ComponentKind } from './component.ts'
import type { Plan } from './plan.ts'

/** A component as the configuration declares it: its factory and its own typed configuration. */
export interface DeclaredComponent {
  readonly type: string
  readonly factory: AnyFactory
  readonly config: unknown
}

export interface GraphConfig {
  readonly receivers: ReadonlyMap<string, DeclaredComponent>
  readonly processors: ReadonlyMap<string, DeclaredComponent>
  readonly exporters: ReadonlyMap<string, DeclaredComponent>
  readonly connectors: ReadonlyMap<string, DeclaredComponent>
  readonly extensions: ReadonlyMap<string, DeclaredComponent>
}

export interface Declaration {
  readonly plan: Plan
  readonly config: GraphConfig
}

/** All values of a configuration, secrets as they are. */
const valuesOf = ({ factory, config }: DeclaredComponent): unknown =>
  (factory.config as Schema<unknown>).print(config, true)

export class Comparison {
  readonly #before: Declaration
  readonly #after: Declaration
  readonly #extensions = new Map<string, boolean>()

  constructor(before: Declaration, after: Declaration) {
    this.#before = before
    this.#after = after
  }

  same(kind: ComponentKind, id: string): boolean {
    if (kind === 'extension') return this.#sameExtension(id)
    return this.#sameValues(kind, id)
  }

  #sameExtension(id: string): boolean {
    const known = this.#extensions.get(id)
    if (known !== undefined) return known
    // For extensions that name each other.
    this.#extensions.set(id, true)
    const runs = [this.#before, this.#after].filter(({ plan }) => plan.extensions.includes(id)).length
    const same = runs === 2 ? this.#sameValues('extension', id) : runs === 0
    this.#extensions.set(id, same)
    return same
  }

  #sameValues(kind: ComponentKind, id: string): boolean {
    const before = this.#before.config[`${kind}s`].get(id)
    const after = this.#after.config[`${kind}s`].get(id)
    if (before === undefined || after === undefined || before.type !== after.type) return false
    const values = valuesOf(after)
    if (!isDeepStrictEqual(valuesOf(before), values)) return false
    return extensionsIn(values, this.#after.config).every((name) => name === id || this.#sameExtension(name))
  }
}

/** Ids of extensions that the configuration of a component names. */
export const namedExtensions = (component: DeclaredComponent, config: GraphConfig): string[] =>
  extensionsIn(valuesOf(component), config)

function extensionsIn(values: unknown, { extensions }: GraphConfig): string[] {
  const found = new Set<string>()
  eachText(values, '', (text) => {
    if (extensions.has(text)) found.add(text)
  })
  return [...found]
}

/** What only one instance of a shard can hold at a time; see FactoryBase.exclusive and exclusiveInShard. */
export function exclusivesOf(kind: ComponentKind, id: string, part: string, config: GraphConfig): string[] {
  const component = config[`${kind}s`].get(id)!
  const { factory } = component
  const held = new Set(factory.exclusive?.(component.config as never) ?? [])
  for (const name of factory.exclusiveInShard?.(component.config as never) ?? []) held.add(name)
  eachText(valuesOf(component), '', (text, key) => {
    if (key === 'storage' && config.extensions.has(text)) held.add(`storage ${text} of ${part}`)
  })
  if (kind === 'extension' && isStorage(id, config)) held.add(`storage ${id}`)
  return [...held]
}

function isStorage(id: string, config: GraphConfig): boolean {
  let used = false
  for (const section of [config.receivers, config.processors, config.exporters, config.connectors]) {
    for (const component of section.values()) {
      eachText(valuesOf(component), '', (text, key) => {
        used ||= key === 'storage' && text === id
      })
    }
  }
  return used
}

/** Whether the address that a system error complains of stands in the configuration. */
export function namesAddress(
  component: DeclaredComponent,
  { port, address }: { port?: number; address?: string },
): boolean {
  let found = false
  const look = (value: unknown): void => {
    if (typeof value === 'number') found ||= value === port
    else if (typeof value === 'string')
      found ||= value === address || (port !== undefined && value.endsWith(`:${port}`))
    else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) look(item)
  }
  look(valuesOf(component))
  return found
}

function eachText(value: unknown, key: string, visit: (text: string, key: string) => void): void {
  if (typeof value === 'string') visit(value, key)
  else if (Array.isArray(value)) for (const item of value) eachText(item, key, visit)
  else if (typeof value === 'object' && value !== null)
    for (const [name, item] of Object.entries(value)) eachText(item, name, visit)
}
