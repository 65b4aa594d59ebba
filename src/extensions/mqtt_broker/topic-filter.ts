// Topic filters (MQTT 3.1.1, 4.7): whether a topic matches one, and whether one lies wholly within another.
//
//   devices/+/data    one level in the place of +        devices/#    devices itself and everything below

/** What is wrong with a filter, in words; undefined when nothing is. */
export function filterProblem(filter: string): string | undefined {
  if (filter === '') return 'a topic filter is not empty'
  const levels = filter.split('/')
  for (const [at, level] of levels.entries()) {
    // MQTT-4.7.1-2, MQTT-4.7.1-3
    if (level.includes('#') && (level !== '#' || at !== levels.length - 1))
      return `"${filter}": # stands alone, at the end`
    if (level.includes('+') && level !== '+') return `"${filter}": + stands for a whole level`
  }
  return undefined
}

export type Filter = readonly string[]

/** `%u` and `%c` filled in. A name with a separator or a wildcard in it would widen the right: there is none then. */
export function compileFilter(filter: string, username: string, clientId: string): Filter | undefined {
  if (filter.includes('%u') && !isPlainLevel(username)) return undefined
  if (filter.includes('%c') && !isPlainLevel(clientId)) return undefined
  return filter.split('/').map((level) => level.replace(/%[uc]/g, (mark) => (mark === '%u' ? username : clientId)))
}

const isPlainLevel = (name: string): boolean => name !== '' && !/[/+#]/.test(name)

/**
 * Whether every topic that `asked` matches is matched by `allowed` too. A topic is a filter without wildcards, so this
 * also tells whether a topic may be published to.
 */
export function covers(allowed: Filter, asked: Filter): boolean {
  // MQTT-4.7.2-1: a wildcard at the beginning does not reach topics that begin with $.
  if (asked[0]!.startsWith('$') && (allowed[0] === '#' || allowed[0] === '+')) return false
  for (const [at, level] of allowed.entries()) {
    if (level === '#') return true // also when nothing is left: devices/# matches devices (MQTT 3.1.1, 4.7.1.2)
    const other = asked[at]
    if (other === undefined || other === '#') return false
    if (level !== '+' && level !== other) return false
  }
  return asked.length === allowed.length
}
