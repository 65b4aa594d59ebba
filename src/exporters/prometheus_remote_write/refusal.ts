// What a store's 400 means: one bad sample may have made it refuse everything, or it has told what it took.

import type { HttpAnswer } from '../../net/http/client.ts'

/** What Prometheus, Mimir, Cortex, Thanos and VictoriaMetrics say of samples; other words are about the whole request. */
const OF_SAMPLES =
  /out[- ]of[- ]order|out[- ]of[- ]bounds|duplicate|too (?:old|far)|future|label|metric name|sample|histogram|series limit/i

export interface Refusal {
  /** `samples`: some of them; `all`: the request as a whole. */
  readonly kind: 'samples' | 'all'
  /** Samples and histograms that the store took all the same; undefined where it does not say (1.0). */
  readonly written: number | undefined
}

export function readRefusal(answer: HttpAnswer): Refusal {
  if (answer.status !== 400) return { kind: 'all', written: undefined }
  const samples = answer.header('x-prometheus-remote-write-samples-written')
  const histograms = answer.header('x-prometheus-remote-write-histograms-written')
  if (samples !== undefined || histograms !== undefined)
    return { kind: 'samples', written: (Number(samples) || 0) + (Number(histograms) || 0) }
  return { kind: OF_SAMPLES.test(refusalWords(answer)) ? 'samples' : 'all', written: undefined }
}

const MAX_WORDS = 512

/** The words of an answer, on one line. */
export const refusalWords = (answer: HttpAnswer): string =>
  Buffer.from(answer.body).toString().replace(/\s+/g, ' ').trim().slice(0, MAX_WORDS)
