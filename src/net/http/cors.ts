// Cross-origin requests, answered as the Collector's handler does (rs/cors; reference 2.1, notes on a running Collector):
// credentials are always allowed; a refused origin or method gets no CORS header at all, and a preflight 204 either way.

import type { IncomingHttpHeaders } from 'node:http'
import type { CorsConfig } from './server-config.ts'

export interface CorsAnswer {
  readonly headers: Readonly<Record<string, string>>
  /** A preflight: answer 204 with these headers, and nothing else. */
  readonly preflight: boolean
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'HEAD'])
const STANDARD_HEADERS = ['accept', 'content-type', 'x-requested-with']

/** Undefined when there is nothing to do: no `cors` section, or one without origins. */
export function corsRules(
  cors: CorsConfig | undefined,
): ((method: string, headers: IncomingHttpHeaders) => CorsAnswer) | undefined {
  if (cors === undefined || cors.allowedOrigins.length === 0) return undefined
  const anyOrigin = cors.allowedOrigins.includes('*')
  const origins = cors.allowedOrigins.map(originPattern)
  const names =
    cors.allowedHeaders.length === 0 ? STANDARD_HEADERS : cors.allowedHeaders.map((name) => name.toLowerCase())
  const anyHeader = names.includes('*')
  const allowedNames = new Set([...names, 'origin'])

  return (method, headers) => {
    const origin = headers.origin
    const asked = headers['access-control-request-method']
    const preflight = method === 'OPTIONS' && asked !== undefined
    const answer: Record<string, string> = {
      vary: preflight ? 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers' : 'Origin',
    }
    if (origin === undefined || !(anyOrigin || origins.some((matches) => matches(origin))))
      return { headers: answer, preflight }
    if (!METHODS.has(preflight ? asked.toUpperCase() : method)) return { headers: answer, preflight }
    if (preflight) {
      const wanted = headers['access-control-request-headers']
      if (wanted !== undefined) {
        const all = String(wanted)
          .split(',')
          .map((name) => name.trim().toLowerCase())
          .filter((name) => name !== '')
        if (!anyHeader && !all.every((name) => allowedNames.has(name))) return { headers: answer, preflight }
        answer['access-control-allow-headers'] = String(wanted)
      }
      answer['access-control-allow-methods'] = asked.toUpperCase()
      if (cors.maxAgeSeconds > 0) answer['access-control-max-age'] = String(cors.maxAgeSeconds)
    } else if (cors.exposedHeaders.length > 0) answer['access-control-expose-headers'] = cors.exposedHeaders.join(', ')
    answer['access-control-allow-origin'] = anyOrigin ? '*' : origin
    answer['access-control-allow-credentials'] = 'true'
    return { headers: answer, preflight }
  }
}

/** One `*` stands for any text between what is before and behind it, as in rs/cors; a second one stands for itself. */
function originPattern(pattern: string): (origin: string) => boolean {
  const wanted = pattern.toLowerCase()
  const star = wanted.indexOf('*')
  if (star < 0) return (origin) => origin.toLowerCase() === wanted
  const before = wanted.slice(0, star)
  const behind = wanted.slice(star + 1)
  return (origin) => {
    const given = origin.toLowerCase()
    return given.length >= before.length + behind.length && given.startsWith(before) && given.endsWith(behind)
  }
}
