// Topic templates: the filter that is subscribed to, and what a topic's levels mean.
//
//   devices/{device_id}/data                                 a level that is captured
//   {enterprise}/{site}/{area}/{line}/{device_id}/{metric*}  the rest of the topic
//   plant/{line}-{cell}/+/state                              literals inside a level; a level of no interest
//   /neuron/{_}/#                                            a leading slash is an empty first level; `_` is dropped
//
// A template becomes a regular expression, asked once for each topic that comes.

/** Longer ones are no topics of a plant: they are counted as such and left. */
export const TOPIC_MAX_BYTES = 1024

export const METRIC = 'metric'
export const DEVICE_ID = 'device_id'

interface Meaning {
  readonly attribute: string
  readonly level: 'resource' | 'point'
}

const resource = (attribute: string): Meaning => ({ attribute, level: 'resource' })
const point = (attribute: string): Meaning => ({ attribute, level: 'point' })

/** Names that plants and OpenTelemetry have words for; any other name is a resource attribute as it is written. */
export const CAPTURES: Readonly<Record<string, Meaning>> = {
  enterprise: resource('manufacturing.enterprise'),
  site: resource('manufacturing.site'),
  area: resource('manufacturing.area'),
  line: resource('manufacturing.line'),
  cell: resource('manufacturing.cell'),
  location: resource('manufacturing.location.path'),
  device_id: resource('device.id'),
  device_type: resource('device.type'),
  device_name: resource('device.name'),
  manufacturer: resource('device.manufacturer'),
  model: resource('device.model.identifier'),
  machine_state: point('manufacturing.machine.state'),
  product_code: point('manufacturing.product.code'),
  work_order_id: point('manufacturing.work_order.id'),
  batch_id: point('manufacturing.batch.id'),
  shift: point('manufacturing.shift.name'),
}

export interface TopicMatch {
  readonly resource: readonly (readonly [key: string, value: string])[]
  readonly point: readonly (readonly [key: string, value: string])[]
  /** What `{metric}` captured, levels joined by dots; undefined where the template has none. */
  readonly metric: string | undefined
  readonly hasDevice: boolean
}

export interface TopicTemplate {
  readonly text: string
  /** What a broker is asked for. */
  readonly filter: string
  /** Undefined when the topic is not one of it. */
  match(topic: string): TopicMatch | undefined
}

export class TemplateError extends Error {}

/** Throws TemplateError, in words for whoever wrote it. */
export function parseTemplate(text: string): TopicTemplate {
  if (text === '') throw new TemplateError('the topic is empty')
  if (text.startsWith('$share/')) throw new TemplateError('a shared subscription is not written into the topic')
  if (Buffer.byteLength(text) > TOPIC_MAX_BYTES) throw new TemplateError(`longer than ${TOPIC_MAX_BYTES} bytes`)
  const names: { name: string; isRest: boolean }[] = []
  const levels = text.split('/')
  const filter: string[] = []
  let source = ''
  let hasRest = false
  for (const [i, level] of levels.entries()) {
    const isLast = i === levels.length - 1
    if (level === '#') {
      if (!isLast) throw new TemplateError('# stands for the rest of a topic and must be its last level')
      source += i === 0 ? '.*' : '(?:/.*)?'
      if (!hasRest) filter.push('#')
      break
    }
    if (i > 0) source += '/'
    const rest = /^\{([A-Za-z_][\w.]*)\*\}$/.exec(level)
    if (rest !== null) {
      addName(names, rest[1]!, true)
      source += '(.+?)'
      if (!hasRest) filter.push('#')
      hasRest = true
      continue
    }
    const isPlain = level === '+' ? false : readLevel(level, names, (piece) => (source += piece))
    if (level === '+') source += '[^/]*'
    if (!hasRest) filter.push(isPlain ? level : '+')
  }
  const pattern = new RegExp(`^${source}$`, 's')
  return {
    text,
    filter: filter.join('/'),
    match(topic) {
      const found = pattern.exec(topic)
      return found === null ? undefined : meaningOf(names, found)
    },
  }
}

/** Appends the pattern of a level; true when it is literal through and through. */
function readLevel(
  level: string,
  names: { name: string; isRest: boolean }[],
  append: (piece: string) => void,
): boolean {
  let isPlain = true
  let isAfterCapture = false
  for (const piece of level.split(/(\{[^{}]*\})/)) {
    if (piece === '') continue
    if (piece.startsWith('{') && piece.endsWith('}')) {
      const name = piece.slice(1, -1)
      if (name.endsWith('*')) throw new TemplateError(`${piece} stands for several levels and needs a level of its own`)
      if (!/^[A-Za-z_][\w.]*$/.test(name)) throw new TemplateError(`${piece} is no name: letters, digits, _ and dots`)
      if (isAfterCapture) throw new TemplateError(`${piece} follows another capture with nothing between them`)
      addName(names, name, false)
      append('([^/]+?)')
      isPlain = false
      isAfterCapture = true
      continue
    }
    if (/[{}]/.test(piece)) throw new TemplateError(`"${level}" has a brace without its other half`)
    if (/[+#]/.test(piece)) throw new TemplateError(`"${level}": + and # stand for whole levels`)
    append(piece.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    isAfterCapture = false
  }
  return isPlain
}

function addName(names: { name: string; isRest: boolean }[], name: string, isRest: boolean): void {
  if (!name.startsWith('_') && names.some((other) => other.name === name))
    throw new TemplateError(`{${name}} is captured twice`)
  names.push({ name, isRest })
}

function meaningOf(names: readonly { name: string; isRest: boolean }[], found: RegExpExecArray): TopicMatch {
  const match = {
    resource: [] as [string, string][],
    point: [] as [string, string][],
    metric: undefined as string | undefined,
    hasDevice: false,
  }
  for (const [i, { name, isRest }] of names.entries()) {
    const value = found[i + 1]!
    if (name.startsWith('_')) continue
    if (name === METRIC) {
      match.metric = isRest ? value.replaceAll('/', '.') : value
      continue
    }
    const meaning = CAPTURES[name] ?? resource(name)
    match[meaning.level].push([meaning.attribute, value])
    if (name === DEVICE_ID) match.hasDevice = true
  }
  return match
}
