// Samples of remote write as lines, in one form, without what is meant to differ.

import { readRequest } from '../../../src/exporters/prometheus_remote_write/testing.ts'
import { labelName } from '../../../src/prometheus/names.ts'

const NAMING = { utf8: false, collapses: true, keyed: true }

/** Of one request. */
export function sampleLines(body: Uint8Array, version: string): string[] {
  const { series, metadata } = readRequest(body, version)
  return [...metadata, ...series.flatMap(({ lines }) => lines)].map(lineText)
}

/** Only the Collector's need to be among ours: it leaves out metadata and exemplars that we send. */
export const isExtra = (line: string): boolean => line.startsWith('# ') || line.startsWith('  # ')

/**
 * What the Collector tells of series that it does not send, of target_info, and once more of a series that it told of; and
 * exemplars whose labels come near 128 letters, which are counted before they are named there, and afterwards here, or have
 * the same name once they are named.
 */
export function isNotForUs(line: string): boolean {
  if (/^(# | {2}# (gauge|counter|histogram|summary))/.test(line)) return true
  return line.startsWith('  # ') && (line.length > 128 || /[ ,](\w+)=.*,\1=/.test(line))
}

/** A sample without its value, for series that a request has twice for one time. */
export const placeOf = (line: string): string => line.replace(/ \S+ (@\d*)$/, ' $1')

function lineText(text: string): string {
  const exemplar = /^ {2}# \{(.*)\} (\S+ @\d+)$/.exec(text)
  if (exemplar !== null) return exemplarText(exemplar[1]!, exemplar[2]!)
  const line = text
    .replace(/ since \d+$/, '')
    .replace(/,[^,{]+="(undefined)?"(?=[,}])/g, '')
    .replace(/\{[^,{]+="(undefined)?"(,|(?=}))/g, '{')
    .replace('{} ', ' ')
  const native = /^(.*?) (\{"countInt.*\}) (@.*)$/.exec(line)
  if (native === null) return line
  const { negativeSpans, negativeDeltas, positiveSpans, positiveDeltas, ...rest } = JSON.parse(native[2]!)
  const negative = bucketsOf(negativeSpans, negativeDeltas)
  const positive = bucketsOf(positiveSpans, positiveDeltas)
  return `${native[1]} ${JSON.stringify({ ...rest, negative, positive })} ${native[3]}`
}

function exemplarText(labels: string, value: string): string {
  const pairs = [...labels.matchAll(/"?([^",]+?)"?="((?:[^"\\]|\\.)*)"/g)]
    .filter(([, , text]) => text !== '')
    .map(([, key, text]) => `${labelName(key!, NAMING)}=${text}`)
  return `  # ${[...new Set(pairs)].sort().join(',')} ${value}`
}

interface Span {
  readonly offset?: number
  readonly length: number
}

/** Counts by bucket, without those that are 0. */
function bucketsOf(spans: readonly Span[] = [], deltas: readonly number[] = []): Record<string, number> {
  const counts: Record<string, number> = {}
  let at = 0
  let count = 0
  let next = 0
  for (const { offset = 0, length } of spans) {
    at += offset
    for (let i = 0; i < length; i++, at++) {
      count += deltas[next++]!
      if (count !== 0) counts[at] = count
    }
  }
  return counts
}
