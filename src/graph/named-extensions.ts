// Extensions that others name, on the supervisor: the authenticator of health_check runs there beside it, as it runs in
// every shard for the listeners there. Each is an instance of its own, created with what it names in its turn.

import type { LoadedComponent } from '../config/components.ts'
import type { Extension, ExtensionContext } from './component.ts'

export interface NamedExtension {
  readonly id: string
  readonly extension: Extension
}

/**
 * Creates the extensions that `ids` name and those that these name, first what others need; opens nothing. What `ids`
 * themselves are is not created here.
 */
export function createNamedExtensions(
  ids: readonly string[],
  extensions: ReadonlyMap<string, LoadedComponent>,
  contextOf: (id: string, find: (id: string) => Extension | undefined) => ExtensionContext,
): NamedExtension[] {
  const made = new Map<string, NamedExtension>()
  const begun = new Set(ids)
  const find = (id: string): Extension | undefined => made.get(id)?.extension
  const visit = (id: string): void => {
    for (const { id: named } of extensions.get(id)?.references ?? []) {
      if (begun.has(named)) continue
      begun.add(named)
      visit(named)
      const { factory, config } = extensions.get(named)!
      if (factory.kind !== 'extension') throw new Error(`invariant: ${named} is not an extension`)
      made.set(named, { id: named, extension: factory.create(config, contextOf(named, find)) })
    }
  }
  for (const id of ids) visit(id)
  return [...made.values()]
}
