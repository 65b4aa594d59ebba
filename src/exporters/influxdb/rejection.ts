// What a server says about lines that it did not take (reference/servers.md 6, and the API pages of write-api.ts).
//
//   partial: the other lines are stored
//     v1 400   {"error":"partial write: field type conflict: ... dropped=1"}, also for lines that cannot be parsed
//     v2 422   {"code":"unprocessable entity","message":"... partial write: ... dropped=1"}
//     v3 400   {"error":"partial write of line protocol occurred","data":[{"original_line","line_number","error_message"}]}
//   whole: nothing is stored
//     v2 400   {"code":"invalid","message":"unable to parse 'bad line': ..."}
//     413      too much in one request

import type { HttpAnswer } from '../../net/http/client.ts'

export interface Rejection {
  /** `whole`: no line was stored, though most of them may be good. `none`: the answer is not about lines. */
  readonly kind: 'partial' | 'whole' | 'none'
  /** Lines that are lost, of a partial one; at least one. */
  readonly lines: number
  readonly words: string
}

export function readRejection(answer: HttpAnswer): Rejection {
  const { status } = answer
  const none = { kind: 'none', lines: 0, words: '' } as const
  if (status !== 400 && status !== 413 && status !== 422) return none
  const body = parse(answer)
  const words = wordsOf(body)
  if (status === 413) return { kind: 'whole', lines: 0, words }
  const data = Array.isArray(body?.data) ? body.data : undefined
  if (data !== undefined) {
    const first = data[0] as { readonly error_message?: unknown } | undefined
    const reason = typeof first?.error_message === 'string' ? first.error_message : words
    return { kind: 'partial', lines: Math.max(1, data.length), words: reason }
  }
  if (/partial write/i.test(words)) {
    const dropped = /dropped[=:]\s*(\d+)/i.exec(words)
    return { kind: 'partial', lines: Math.max(1, Number(dropped?.[1] ?? 1)), words }
  }
  if (/unable to parse|failed to parse|invalid|line protocol/i.test(words)) return { kind: 'whole', lines: 0, words }
  return none
}

/** The server's own words in an answer that is no success; `''` where it has none. */
export const rejectionWords = (answer: HttpAnswer): string => wordsOf(parse(answer))

type Body = { readonly error?: unknown; readonly message?: unknown; readonly data?: unknown } | undefined

function parse(answer: HttpAnswer): Body {
  try {
    const body: unknown = JSON.parse(Buffer.from(answer.body).toString())
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return undefined
  }
}

const wordsOf = (body: Body): string => {
  if (typeof body?.message === 'string') return body.message
  return typeof body?.error === 'string' ? body.error : ''
}
