// Extensions that components name: an authenticator under `auth`, a store under `sending_queue`. A field says what it
// needs one for (schema.ts, extensionId), an extension's factory says what it can be used as, and here the two meet once
// the whole file is read: named but not declared, not run by the service, or of another kind are problems of `validate`.

import type { AnyFactory } from '../graph/component.ts'
import type { LoadedComponent } from './components.ts'
import { nearest } from './nearest.ts'
import type { Place } from './node.ts'
import type { Problem } from './problem.ts'

/** What a component may need an extension for; the words follow "cannot be used as". */
export const EXTENSION_ROLES = {
  server_authenticator: 'an authenticator of a server, which checks who sends',
  client_authenticator: 'an authenticator of a client, which adds credentials to what is sent',
  storage: 'a store',
} as const
export type ExtensionRole = keyof typeof EXTENSION_ROLES

/** One place in the configuration that names an extension. */
export interface ExtensionReference {
  readonly path: string
  readonly place: Place
  readonly id: string
  readonly role: ExtensionRole
}

/** A component and the extensions that its configuration names. */
export interface NamedBy {
  readonly section: string
  readonly id: string
  readonly references: readonly ExtensionReference[]
}

/** Of an extension; empty for a factory of another kind. */
export const rolesOf = (factory: AnyFactory, config: unknown): readonly ExtensionRole[] =>
  factory.kind === 'extension' ? (factory.roles?.(config) ?? []) : []

export interface RunningExtensions {
  /** Ids that are declared, also those whose configuration is wrong. */
  readonly declared: ReadonlyMap<string, unknown>
  readonly components: ReadonlyMap<string, LoadedComponent>
  /** service.extensions. */
  readonly running: readonly string[]
}

/** Looks at the references of components that run; what nothing uses may name what it wants. */
export function referenceProblems(named: readonly NamedBy[], extensions: RunningExtensions): Problem[] {
  return named.flatMap(({ references }) =>
    references.flatMap((reference) => referenceProblem(reference, extensions) ?? []),
  )
}

function referenceProblem(reference: ExtensionReference, extensions: RunningExtensions): Problem | undefined {
  const { path, place, id, role } = reference
  const { declared, components, running } = extensions
  const able = [...components].filter(([, { factory, config }]) => rolesOf(factory, config).includes(role))
  if (!declared.has(id) && !components.has(id)) {
    const near = nearest(id, [...declared.keys()])
    const fix = `${near === undefined ? '' : `write ${near}, or `}declare ${id} below extensions and name it in service.extensions`
    return { code: 'CONFIG_UNDECLARED', path, what: `the extension ${id} is not declared`, fix, place }
  }
  if (!running.includes(id)) {
    const what = `the extension ${id} is declared but does not run`
    return { code: 'CONFIG_UNDECLARED', path, what, fix: `add ${id} to service.extensions`, place }
  }
  // One whose own configuration is wrong has its problem already.
  const component = components.get(id)
  if (component === undefined || rolesOf(component.factory, component.config).includes(role)) return undefined
  const what = `the extension ${id} cannot be used as ${EXTENSION_ROLES[role]}`
  const others = able.map(([other]) => other)
  const fix =
    others.length === 0 ? `name an extension that is ${EXTENSION_ROLES[role]}` : `write ${others.join(' or ')}`
  return { code: 'CONFIG_WRONG_EXTENSION', path, what, fix, place }
}
