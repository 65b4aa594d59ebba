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

/** The mode that a scope asked for and the hints of a point, which the Collector leaves in all documents but those of otel. */
function wishes(document: Document): void {
  delete document.elastic
  delete document['Scope.elastic.mapping.mode']
  delete document.elasticsearch
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
  ecs: [wishes, eventName, bytes],
  none: [wishes, eventName, bytes, continued],
  raw: [wishes, eventName, bytes, continued],
}

/** Keys sorted; numbers to twelve digits, since exp() differs in the last ones. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'number') return Number(inner.toPrecision(12))
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** Those that the Elastic Common Schema has another name for, those other names, and names that continue them. */
export const ECS_KEYS = [
  ...['telemetry.sdk.name', 'telemetry.sdk.language', 'telemetry.sdk.version', 'telemetry.distro.name'],
  ...['telemetry.distro.version', 'deployment.environment', 'deployment.environment.name', 'service.environment'],
  ...['service.node.name', 'service.node.name.x', 'service.language', 'cloud.platform', 'container.image.tags'],
  ...['host.name', 'host.hostname', 'host.name.x', 'host.arch', 'host', 'host.hostname.x', 'host.os.name.long'],
  ...['process.parent_pid', 'process.executable.name', 'process.executable.path', 'process.command_line', 'process'],
  ...['process.runtime.name', 'process.runtime.version', 'os.name', 'os.type', 'os.description', 'os.version'],
  ...['client.address', 'client.ip', 'client.ip.x', 'client.ip.x.y', 'source.address', 'faas.instance', 'faas.trigger'],
  ...['k8s.pod.name', 'k8s.namespace.name', 'kubernetes.namespace', 'kubernetes.namespace.labels', 'k8s.job.name'],
  ...['k8s.cronjob.name', 'k8s.cluster.name', 'k8s.container.name', 'k8s.pod.uid', 'k8s.deployment.name'],
  ...['event.name', 'exception.message', 'exception.type', 'exception.stacktrace', 'exception.escaped', 'error.type'],
  ...['error.type.x', 'error.exception.type.x', 'error.stack_trace.x', 'error.grouping_name', 'error.exception'],
  ...['http.response.body.size', 'http.response.encoded_body_size.x', 'db.system', 'db.namespace', 'db.query.text'],
  ...['span.db.type', 'span.db.type.x', 'messaging.destination.name', 'messaging.operation.name', 'span', 'span.id'],
  ...['transaction.id', 'trace', 'trace.id', '@timestamp', 'event.kind', 'value', 'a.b.c', 'Name'],
]
