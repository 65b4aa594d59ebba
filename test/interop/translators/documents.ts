// Documents of bulk requests as lines, in one form, without what is meant to differ.

/** Action and document of each. */
export function documentLines(body: string): string[] {
  const lines = body.trimEnd().split('\n')
  const documents: string[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const action = JSON.parse(lines[i]!)
    // Ours stands in the request's address.
    delete action.create.require_data_stream
    documents.push(`${stable(action)} ${stable(withoutNothing(JSON.parse(lines[i + 1]!)))}`)
  }
  return documents
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a document holds
function withoutNothing(document: any): object {
  // What was never set, an empty list, and what is left of a scope that had nothing but the mode that it asked for.
  if (document.observed_timestamp === '0.0') delete document.observed_timestamp
  if (document.links?.length === 0) delete document.links
  const { scope } = document
  if (scope?.attributes !== undefined && Object.keys(scope.attributes).length === 0) delete scope.attributes
  // The Collector does not pad the nanoseconds behind a millisecond.
  for (const key of ['@timestamp', 'observed_timestamp'])
    if (typeof document[key] === 'string') document[key] = document[key].replace(/\.0*(\d+)$/, '.$1')
  return document
}

/** Keys sorted; numbers to twelve digits, since exp() differs in the last ones. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'number') return Number(inner.toPrecision(12))
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
