// What a server says of each document of a `_bulk` request.
//
//   {"errors":true,"items":[{"create":{"status":201}},{"create":{"status":400,"error":{"type":...,"reason":...}}},...]}

import { encodeText } from '../../otlp/encode.ts'

export interface Failure {
  /** Which document of the request. */
  readonly document: number
  readonly status: number
  readonly type: string
  readonly reason: string
}

export interface BulkOutcome {
  readonly failures: readonly Failure[]
  /** By word: documents that went to a failure store, or would have. */
  readonly failureStore: ReadonlyMap<string, number>
}

const NO_ERRORS = encodeText('{"errors":false')
const NOTHING: BulkOutcome = { failures: [], failureStore: new Map() }

interface Item {
  readonly status?: number
  readonly failure_store?: string
  readonly error?: {
    readonly type?: string
    readonly reason?: string
    readonly caused_by?: { readonly reason?: string }
  }
}

/** Throws where it is no answer for that many documents. */
export function readBulkAnswer(body: Uint8Array, documents: number): BulkOutcome {
  // The usual answer is not looked at any further: it has a line for each document.
  if (startsWith(body, NO_ERRORS) && !Buffer.from(body.buffer, body.byteOffset, body.length).includes('failure_store'))
    return NOTHING
  const answer = JSON.parse(Buffer.from(body).toString()) as { errors?: boolean; items?: Record<string, Item>[] }
  if (!Array.isArray(answer.items)) {
    if (answer.errors === false) return NOTHING
    throw new Error('there are no items in it')
  }
  if (answer.items.length !== documents) throw new Error(`${answer.items.length} items for ${documents} documents`)
  const failures: Failure[] = []
  const failureStore = new Map<string, number>()
  answer.items.forEach((item, document) => {
    const { status = 0, error, failure_store: store } = Object.values(item)[0] ?? {}
    if (store !== undefined && store !== 'not_applicable_or_unknown')
      failureStore.set(store, (failureStore.get(store) ?? 0) + 1)
    if (status >= 200 && status <= 299) return
    const { type = '', reason = '', caused_by: cause } = error ?? {}
    const words = cause?.reason === undefined ? reason : `${reason}: ${cause.reason}`
    failures.push({ document, status, type, reason: words })
  })
  return { failures, failureStore }
}

function startsWith(body: Uint8Array, words: Uint8Array): boolean {
  if (body.length < words.length) return false
  for (let i = 0; i < words.length; i++) if (body[i] !== words[i]) return false
  return true
}
