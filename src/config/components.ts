// The sections receivers, processors, exporters, connectors and extensions: ids to factories and typed configuration.

import type { AnyFactory, ComponentKind } from '../graph/component.ts'
import { COLLECTOR_TYPES } from './collector-types.ts'
import type { ExtensionReference } from './extension-references.ts'
import { type Id, parseId, withoutUnderscores } from './ids.ts'
import { nearest } from './nearest.ts'
import type { Entry, Node, Place } from './node.ts'
import type { Problem } from './problem.ts'
import { REMOVED_TYPES, renewKeys } from './removed.ts'
import { At } from './types.ts'

/** What is known of a component before its code is loaded. */
export interface KnownComponent {
  readonly kind: ComponentKind
  readonly type: string
  readonly aliases: readonly string[]
  load(): Promise<AnyFactory>
}

export interface LoadedComponent {
  /** The current type; the id may carry an older spelling. */
  readonly type: string
  readonly factory: AnyFactory
  /** As the factory's schema decodes it. */
  readonly config: unknown
  readonly declaredAt: Place
  /** Extensions that its configuration names. */
  readonly references: readonly ExtensionReference[]
}

export const SECTIONS = {
  receiver: 'receivers',
  processor: 'processors',
  exporter: 'exporters',
  connector: 'connectors',
  extension: 'extensions',
} as const satisfies Record<ComponentKind, string>

export interface Section {
  readonly components: Map<string, LoadedComponent>
  /** Every id that is declared, also those whose configuration is wrong; with its place. */
  readonly declared: ReadonlyMap<string, Place>
  /** Declared ids of removed types without a successor: accepted and left out. */
  readonly omitted: ReadonlySet<string>
}

export interface Notes {
  readonly problems: Problem[]
  readonly warnings: Problem[]
}

export async function decodeSection(
  kind: ComponentKind,
  entry: Entry | undefined,
  known: readonly KnownComponent[],
  notes: Notes,
): Promise<Section> {
  const section = new SectionReader(kind, known, notes)
  if (entry !== undefined) await section.read(entry)
  return section
}

class SectionReader implements Section {
  readonly components = new Map<string, LoadedComponent>()
  readonly declared = new Map<string, Place>()
  readonly omitted = new Set<string>()
  readonly #kind: ComponentKind
  readonly #known: readonly KnownComponent[]
  readonly #notes: Notes
  readonly #unavailable: { id: Id; key: Place }[] = []

  constructor(kind: ComponentKind, known: readonly KnownComponent[], notes: Notes) {
    this.#kind = kind
    this.#known = known.filter((component) => component.kind === kind)
    this.#notes = notes
  }

  async read(section: Entry): Promise<void> {
    const name = SECTIONS[this.#kind]
    const at = new At(name, section.key, this.#notes.problems)
    const { value } = section
    if (value.kind !== 'map') {
      if (value.kind === 'scalar' && value.value === null) return
      at.problem('CONFIG_WRONG_TYPE', `${name} is not a map`, 'write each component as a key below it', value.place)
      return
    }
    for (const [text, entry] of value.entries) await this.#component(text, entry, at)
    this.#reportUnavailable()
  }

  async #component(text: string, entry: Entry, at: At): Promise<void> {
    const here = at.under(text, entry.key)
    const id = parseId(text)
    if ('wrong' in id) {
      here.problem('CONFIG_BAD_ID', id.wrong, id.fix)
      return
    }
    if (this.declared.has(id.text)) {
      here.problem('CONFIG_DUPLICATE', `the id ${id.text} stands here twice`, 'give one of them a name of its own')
      return
    }
    this.declared.set(id.text, entry.key)
    const removed = REMOVED_TYPES.find((type) => type.kind === this.#kind && type.type === id.type)
    if (removed !== undefined)
      this.#warn('CONFIG_REMOVED', here, `the Collector has removed the ${this.#kind} ${id.type}`, removed.fix)
    if (removed !== undefined && removed.successor === undefined) {
      this.omitted.add(id.text)
      return
    }
    const component = findComponent(this.#known, removed?.successor ?? id.type)
    if (component === undefined) {
      if (isCollectorType(this.#kind, id.type)) this.#unavailable.push({ id, key: entry.key })
      else unknownType(this.#kind, id.type, this.#known, here)
      return
    }
    if (removed === undefined && component.type !== id.type) {
      const what = `${JSON.stringify(id.type)} is an older spelling of ${JSON.stringify(component.type)}`
      const renamed = id.name === '' ? component.type : `${component.type}/${id.name}`
      this.#warn('CONFIG_ALIAS', here, what, `write ${renamed} here and in the pipelines`)
    }
    const factory = await component.load()
    const node = this.#renew(id.type, entry.value, here)
    const references: ExtensionReference[] = []
    const config: unknown = factory.config.decode(node, new At(here.path, here.place, here.problems, references))
    this.components.set(id.text, { type: component.type, factory, config, declaredAt: entry.key, references })
  }

  #renew(type: string, node: Node, here: At): Node {
    if (node.kind !== 'map') return node
    const renewed = renewKeys(this.#kind, type, node)
    for (const { removed, entry } of renewed.used) {
      const key = removed.key
      this.#warn(
        'CONFIG_REMOVED',
        here.under(key, entry.key),
        `the Collector has removed the key ${key.split('.').at(-1)}`,
        removed.fix,
      )
    }
    return renewed.node
  }

  #warn(code: Problem['code'], at: At, what: string, fix: string): void {
    this.#notes.warnings.push({ code, path: at.path, what, fix, place: at.place })
  }

  /** One problem for all of them: what a file needs and Millrace lacks is one thing to know. */
  #reportUnavailable(): void {
    const first = this.#unavailable[0]
    if (first === undefined) return
    const section = SECTIONS[this.#kind]
    const types = [...new Set(this.#unavailable.map(({ id }) => id.type))]
    const noun = types.length === 1 ? this.#kind : section
    const available = this.#known.map((component) => component.type)
    this.#notes.problems.push({
      code: 'CONFIG_UNAVAILABLE_TYPE',
      path: section,
      what: `Millrace does not have the Collector's ${noun} ${listed(types)} yet`,
      fix: `take ${types.length === 1 ? 'it' : 'them'} out here and in the pipelines; the ${section} are ${available.join(', ')}`,
      place: first.key,
    })
  }
}

const listed = (words: readonly string[]): string =>
  words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

/** By type, older spelling, or a spelling that differs in underscores alone (Collector reference 1.9). */
export function findComponent(known: readonly KnownComponent[], type: string): KnownComponent | undefined {
  const plain = withoutUnderscores(type)
  return (
    known.find((component) => component.type === type || component.aliases.includes(type)) ??
    known.find((component) => [component.type, ...component.aliases].some((name) => withoutUnderscores(name) === plain))
  )
}

function isCollectorType(kind: ComponentKind, type: string): boolean {
  const plain = withoutUnderscores(type)
  return COLLECTOR_TYPES[kind].some((name) => withoutUnderscores(name) === plain)
}

function unknownType(kind: ComponentKind, type: string, known: readonly KnownComponent[], at: At): void {
  const types = known.map((component) => component.type)
  const near = nearest(type, [...types, ...COLLECTOR_TYPES[kind]])
  const isHere = known.some(({ type: own, aliases }) => own === near || (near !== undefined && aliases.includes(near)))
  const advice = near === undefined ? '' : `write ${near}${isHere ? '' : ', which Millrace does not have yet'}; `
  at.problem(
    'CONFIG_UNKNOWN_TYPE',
    `there is no ${kind} ${type}`,
    `${advice}the ${SECTIONS[kind]} are ${types.join(', ')}`,
  )
}
