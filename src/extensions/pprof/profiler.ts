// V8's own profilers, of the thread that calls: one profile at a time, in the JSON that Chrome DevTools and speedscope
// read.

import type { Session } from 'node:inspector/promises'

/** Thrown when a profile is under way already. */
export class ProfilerBusy extends Error {
  constructor(subject: string) {
    super(`a profile is being taken already: ${subject}`)
    this.name = 'ProfilerBusy'
  }
}

/** `garbage` counts what was collected meanwhile, too: where allocations come from instead of what stays. */
export type Subject =
  | { readonly kind: 'cpu'; readonly intervalMicros: number }
  | { readonly kind: 'heap'; readonly garbage: boolean }

/** A sampled allocation per that many bytes: V8's default. */
const HEAP_INTERVAL_BYTES = 32768

export class Profiler {
  #busy: string | undefined

  /** Profiles until what `until` gives resolves; it is called once the profile has begun. Gives JSON text. Throws ProfilerBusy. */
  async profile(subject: Subject, until: () => Promise<void>): Promise<string> {
    if (this.#busy !== undefined) throw new ProfilerBusy(this.#busy)
    this.#busy = subject.kind
    try {
      const { Session } = await import('node:inspector/promises')
      const session = new Session()
      session.connect()
      try {
        return JSON.stringify(
          subject.kind === 'cpu' ? await cpu(session, subject, until) : await heap(session, subject, until),
        )
      } finally {
        session.disconnect()
      }
    } finally {
      this.#busy = undefined
    }
  }
}

async function cpu(session: Session, subject: Subject & { kind: 'cpu' }, until: () => Promise<void>): Promise<object> {
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: subject.intervalMicros })
  await session.post('Profiler.start')
  await until()
  const { profile } = await session.post('Profiler.stop')
  return profile
}

async function heap(
  session: Session,
  subject: Subject & { kind: 'heap' },
  until: () => Promise<void>,
): Promise<object> {
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: HEAP_INTERVAL_BYTES,
    includeObjectsCollectedByMajorGC: subject.garbage,
    includeObjectsCollectedByMinorGC: subject.garbage,
  })
  await until()
  const { profile } = await session.post('HeapProfiler.stopSampling')
  return profile
}
