// What all formats of an exposition have in common, and which of them a scraper gets: what it names in Accept, by its weights
// (RFC 9110 12.5.1; Prometheus, "Content negotiation").

import { ESCAPINGS, type Escaping } from '../../prometheus/escape.ts'
import type { Family } from './series.ts'

export interface FormatOptions {
  readonly escaping: Escaping
  /** Samples carry the time of their points. */
  readonly timestamps: boolean
}

export type FamilyHead = Pick<Family, 'name' | 'type' | 'help'>

export interface Format {
  readonly contentType: string
  /** Bytes so far. */
  readonly written: number
  begin(family: FamilyHead): void
  /** A series of the family begun last. */
  add(family: Family, slot: number): void
  /** Of a family. */
  end(): void
  /** A gauge that is 1 with these labels, of the family begun last. */
  addInfo(labels: string): void
  /** Of the whole. */
  close(): void
  /** Gives back what it has to write in. */
  drop(): void
}

export type Choice =
  | { readonly form: 'text' | 'protobuf'; readonly escaping: Escaping }
  | { readonly form: 'openmetrics'; readonly version: string; readonly escaping: Escaping }

/** The longest Accept that is looked at; what is behind it is not. */
const ACCEPT_MAX_LETTERS = 4096

/** Text where it names nothing that there is. */
export function chooseFormat(accept: string, openMetrics: boolean): Choice {
  let escaping: Escaping = 'underscores'
  for (const { type, parameters } of byWeight(accept.slice(0, ACCEPT_MAX_LETTERS))) {
    const wanted = parameters.get('escaping')
    escaping = ESCAPINGS.find((known) => known === wanted) ?? escaping
    const version = parameters.get('version') ?? ''
    if (
      type === 'application/vnd.google.protobuf' &&
      parameters.get('proto') === 'io.prometheus.client.MetricFamily' &&
      parameters.get('encoding') === 'delimited'
    )
      return { form: 'protobuf', escaping }
    if (type === 'text/plain' && (version === '0.0.4' || version === '')) return { form: 'text', escaping }
    if (openMetrics && type === 'application/openmetrics-text' && ['', '0.0.1', '1.0.0'].includes(version))
      return { form: 'openmetrics', version: version === '1.0.0' ? version : '0.0.1', escaping }
  }
  return { form: 'text', escaping }
}

interface Accepted {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly weight: number
}

function byWeight(accept: string): Accepted[] {
  const accepted = accept.split(',').map((part): Accepted => {
    const [type = '', ...pairs] = part.split(';').map((word) => word.trim())
    const parameters = new Map(
      pairs.map((pair) => {
        const [name = '', value = ''] = pair.split('=', 2)
        return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')] as const
      }),
    )
    const weight = Number(parameters.get('q') ?? 1)
    return { type: type.toLowerCase(), parameters, weight: Number.isFinite(weight) ? weight : 0 }
  })
  return accepted.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight)
}

/** Whether the answer may be packed. */
export const takesGzip = (acceptEncoding: string): boolean =>
  acceptEncoding
    .slice(0, ACCEPT_MAX_LETTERS)
    .split(',')
    .some((part) => {
      const [name = '', ...rest] = part.split(';').map((word) => word.trim())
      return name.toLowerCase() === 'gzip' && !rest.some((word) => /^q=0(\.0*)?$/.test(word))
    })
