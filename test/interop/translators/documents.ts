// Documents of bulk requests as lines, in one form, without what is meant to differ.

// biome-ignore lint/suspicious/noExplicitAny: whatever a document holds
type Document = Record<string, any>
export type ComparedMode = 'otel' | 'ecs' | 'none' | 'raw'

/** Action and document of each. */
export function documentLines(body: string, mode: ComparedMode): string[] {
  const lines = body.trimEnd().split('\n')
  const documents: string[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const action = JSON.parse(lines[i]!)
    // Ours stands in the request's address.
    delete action.create.require_data_stream
    const document = JSON.parse(lines[i + 1]!) as Document
    for (const takeOut of TAKEN_OUT[mode]) takeOut(document)
    documents.push(`${stable(action)} ${stable(document)}`)
  }
  return documents
}

/** What was never set, an empty list, and what is left of a scope that had nothing but the mode that it asked for. */
function nothing(document: Document): void {
  if (document.observed_timestamp === '0.0') delete document.observed_timestamp
  if (document.links?.length === 0) delete document.links
  const { scope } = document
  if (scope?.attributes !== undefined && Object.keys(scope.attributes).length === 0) delete scope.attributes
}

/** The Collector does not pad the nanoseconds behind a millisecond. */
function padding(document: Document): void {
  for (const key of ['@timestamp', 'observed_timestamp'])
    if (typeof document[key] === 'string') document[key] = document[key].replace(/\.0*(\d+)$/, '.$1')
}

/** The mode that a scope asked for, which the Collector leaves in all documents but those of otel. */
function askedMode(document: Document): void {
  delete document.elastic
  delete document['Scope.elastic.mapping.mode']
}

/** The field of an event's name, which the Collector knows as an attribute only. */
function eventName(document: Document): void {
  delete document.EventName
  const { event } = document
  if (event?.action !== 'part.finished') return
  delete event.action
  // An attribute `event` is a value where nothing else is below that name.
  const [key, ...others] = Object.keys(event)
  if (key === undefined) delete document.event
  else if (key === 'value' && others.length === 0) document.event = event.value
}

/** Bytes, of which the Collector makes nothing, and null in a list: all those of requests are the same. */
function bytes(value: Document): void {
  for (const [key, inner] of Object.entries(value)) {
    const isBytes = inner === '00ff80'
    if (Array.isArray(value)) {
      if (isBytes) value[Number(key)] = null
    } else if (isBytes) delete value[key]
    if (inner === null || typeof inner !== 'object') continue
    bytes(inner)
    if (!Array.isArray(value) && !Array.isArray(inner) && Object.keys(inner).length === 0) delete value[key]
  }
}

/** A value whose name others continue: where it is there twice the Collector calls but the last one `.value`. */
function continued(document: Document): void {
  const keys = Object.keys(document)
  for (const key of keys) if (keys.some((other) => other.startsWith(`${key}.`))) delete document[key]
}

const TAKEN_OUT: Readonly<Record<ComparedMode, readonly ((document: Document) => void)[]>> = {
  otel: [nothing, padding],
  ecs: [askedMode, eventName, bytes],
  none: [askedMode, eventName, bytes, continued],
  raw: [askedMode, eventName, bytes, continued],
}

/** Keys sorted; numbers to twelve digits, since exp() differs in the last ones. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'number') return Number(inner.toPrecision(12))
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
