// What Home Assistant's discovery messages say of entities: which topic their state comes on, where in it the value is,
// and what it is: a name, a unit, a gauge or a counter.
//
//   homeassistant/<component>/[<node>/]<object>/config     one entity
//   homeassistant/device/<object>/config                   a device with its entities under `components`
//
// Names may be written short (`stat_t` for `state_topic`), and `~` stands for the base topic. An empty message takes an
// entity away again.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { KIND, type Kind } from '../../../readings/naming.ts'
import { toUcum } from '../../../readings/units.ts'

export interface Entity {
  readonly name: string
  /** UCUM, encoded. */
  readonly unit: Uint8Array
  readonly kind: Kind
  /** The way to the value in a JSON state; empty: the payload is the value. Undefined: the template is beyond us. */
  readonly path: readonly string[] | undefined
  readonly device: string | undefined
  /** Texts of binary states. */
  readonly words: ReadonlyMap<string, number>
}

const ENTITIES_MAX = 20_000

const LONG: Readonly<Record<string, string>> = {
  stat_t: 'state_topic',
  val_tpl: 'value_template',
  unit_of_meas: 'unit_of_measurement',
  stat_cla: 'state_class',
  dev_cla: 'device_class',
  obj_id: 'object_id',
  def_ent_id: 'default_entity_id',
  uniq_id: 'unique_id',
  dev: 'device',
  ids: 'identifiers',
  cmps: 'components',
  p: 'platform',
  pl_on: 'payload_on',
  pl_off: 'payload_off',
  stat_on: 'state_on',
  stat_off: 'state_off',
}

/** Components whose state is on or off. */
const BINARY: ReadonlySet<string> = new Set(['binary_sensor', 'switch', 'light', 'fan', 'siren', 'valve'])

type Fields = Readonly<Record<string, unknown>>

export class Discovery {
  /** By state topic, then by the config topic and component that made them. */
  readonly #byTopic = new Map<string, Map<string, Entity>>()
  readonly #topics = new Map<string, string[]>()
  #count = 0

  get size(): number {
    return this.#count
  }

  /** The entities whose state comes on this topic. */
  on(topic: string): Iterable<Entity> | undefined {
    return this.#byTopic.get(topic)?.values()
  }

  /** A config message. Throws BadPayload. */
  learn(topic: string, text: string): void {
    const levels = topic.split('/')
    const component = levels.at(levels.length === 5 ? -4 : -3) ?? ''
    this.#forget(topic)
    if (text.trim() === '') return
    const config = fieldsOf(parse(text))
    const components = config.components
    if (component === 'device' && isFields(components)) {
      for (const [id, inner] of Object.entries(components)) {
        if (!isFields(inner)) continue
        const own = fieldsOf(inner)
        this.#add(topic, id, String(own.platform ?? ''), { ...config, ...own }, id)
      }
      return
    }
    this.#add(topic, '', component, config, levels.at(-2) ?? '')
  }

  #add(topic: string, id: string, component: string, config: Fields, objectId: string): void {
    const stateTopic = textOf(config.state_topic)?.replace(/^~|~$/g, () => textOf(config['~']) ?? '')
    // A button or a scene has no state.
    if (stateTopic === undefined) return
    if (this.#count >= ENTITIES_MAX) throw new BadPayload('unknown', `more than ${ENTITIES_MAX} entities`)
    const device = isFields(config.device) ? fieldsOf(config.device) : {}
    const identifiers = Array.isArray(device.identifiers) ? device.identifiers[0] : device.identifiers
    const entity: Entity = {
      name:
        textOf(config.object_id) ?? textOf(config.default_entity_id)?.replace(/^\w+\./, '') ?? slug(config, objectId),
      unit: Buffer.from(unitOf(textOf(config.unit_of_measurement))),
      kind: kindOf(textOf(config.state_class)),
      path: pathOf(textOf(config.value_template)),
      device: textOf(identifiers) ?? textOf(device.name),
      words: BINARY.has(component) ? onOff(config) : new Map(),
    }
    let entities = this.#byTopic.get(stateTopic)
    if (entities === undefined) {
      entities = new Map()
      this.#byTopic.set(stateTopic, entities)
    }
    entities.set(`${topic} ${id}`, entity)
    const topics = this.#topics.get(topic) ?? []
    topics.push(stateTopic)
    this.#topics.set(topic, topics)
    this.#count++
  }

  #forget(topic: string): void {
    for (const stateTopic of this.#topics.get(topic) ?? []) {
      const entities = this.#byTopic.get(stateTopic)
      if (entities === undefined) continue
      for (const key of [...entities.keys()])
        if (key.startsWith(`${topic} `)) {
          entities.delete(key)
          this.#count--
        }
      if (entities.size === 0) this.#byTopic.delete(stateTopic)
    }
    this.#topics.delete(topic)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new BadPayload('not_json', (error as Error).message)
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** With long names. */
function fieldsOf(value: unknown): Fields {
  if (!isFields(value)) throw new BadPayload('wrong_shape', 'a discovery message that is not an object')
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [LONG[key] ?? key, inner]))
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined

const slug = (config: Fields, objectId: string): string =>
  (textOf(config.name) ?? textOf(config.unique_id) ?? objectId).toLowerCase().replace(/[^a-z0-9]+/g, '_')

const unitOf = (unit: string | undefined): string => (unit === undefined ? '' : toUcum(unit))

/** Home Assistant: `total` may go down, `total_increasing` only begins anew. */
function kindOf(stateClass: string | undefined): Kind {
  if (stateClass === 'total_increasing') return KIND.COUNTER
  if (stateClass === 'total') return KIND.LEVEL
  return stateClass === 'measurement' ? KIND.GAUGE : KIND.DEFAULT
}

/** `{{ value_json.a['b'].c }}`, with filters behind it or none. */
function pathOf(template: string | undefined): readonly string[] | undefined {
  if (template === undefined) return []
  if (/^\{\{\s*value\s*(\|[^{}]*)?\}\}$/.test(template.trim())) return []
  const match = /^\{\{\s*value_json((?:\.\w+|\[(?:'[^']*'|"[^"]*"|\d+)\])+)\s*(?:\|[^{}]*)?\}\}$/.exec(template.trim())
  if (match === null) return undefined
  return [...match[1]!.matchAll(/\.(\w+)|\['([^']*)'\]|\["([^"]*)"\]|\[(\d+)\]/g)].map(
    ([, name, single, double, index]) => name ?? single ?? double ?? index!,
  )
}

function onOff(config: Fields): ReadonlyMap<string, number> {
  const on = textOf(config.state_on) ?? textOf(config.payload_on) ?? 'ON'
  const off = textOf(config.state_off) ?? textOf(config.payload_off) ?? 'OFF'
  return new Map([
    [on, 1],
    [off, 0],
  ])
}
