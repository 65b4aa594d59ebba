// The pages of pprof: profiles of the router's threads.
//
//   /debug/pprof/profile?seconds=30   /debug/cpu     where processor time goes         .cpuprofile
//   /debug/pprof/heap?seconds=5       /debug/heap    what was allocated and stays      .heapprofile
//   /debug/pprof/allocs?seconds=5                    what was allocated                .heapprofile
//
// It runs on the supervisor, which looks into every thread from outside: `shard` says into which.

import { object } from '../../config/schema.ts'
import type { Extension } from '../../graph/component.ts'
import { type ProfileSubject, type SupervisorContext, ThreadError, type ThreadName } from '../../graph/supervised.ts'
import { type Answer, type PageRequest, PageServer, text } from '../../net/http/pages.ts'
import { httpServerFields } from '../../net/http/server-config.ts'
import type { PprofConfig } from './config.ts'
import { SavedProfiles } from './saved-profiles.ts'

/** Longest profile that a request may ask for. */
const MAX_SECONDS = 300

interface Page {
  readonly subject: ProfileSubject
  readonly defaultSeconds: number
  readonly suffix: string
}

const CPU: Page = { subject: { kind: 'cpu', intervalMs: 1 }, defaultSeconds: 30, suffix: 'cpuprofile' }
const HEAP: Page = { subject: { kind: 'heap', garbage: false }, defaultSeconds: 5, suffix: 'heapprofile' }
const ALLOCS: Page = { subject: { kind: 'heap', garbage: true }, defaultSeconds: 5, suffix: 'heapprofile' }

const PAGES: Readonly<Record<string, Page>> = {
  '/debug/pprof/profile': CPU,
  '/debug/cpu': CPU,
  '/debug/pprof/heap': HEAP,
  '/debug/heap': HEAP,
  '/debug/pprof/allocs': ALLOCS,
}

const STATUS = { unknown: 404, busy: 409, unavailable: 503 } as const satisfies Record<ThreadError['reason'], number>

export class Pprof implements Extension {
  readonly #context: SupervisorContext
  readonly #pages: PageServer
  readonly #saved: SavedProfiles | undefined
  /** Ends every profile under way. */
  readonly #stopping = new AbortController()

  constructor(config: PprofConfig, context: SupervisorContext) {
    const { endpoint, saveToFile } = config
    this.#context = context
    // A profile takes longer than an ordinary answer may.
    const settings = { ...object(httpServerFields).zero(), endpoint, writeTimeoutMs: 0 }
    this.#pages = new PageServer('pprof', settings, context, (request) => this.#answer(request))
    this.#saved = saveToFile === '' ? undefined : new SavedProfiles(saveToFile, context, this.#stopping.signal)
  }

  start(): Promise<void> {
    return this.#pages.start()
  }

  pipelinesStarted(): void {
    this.#saved?.start()
  }

  /** Now, because the threads end before this extension does. */
  pipelinesStopping(): void {
    this.#stopping.abort()
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort()
    await this.#saved?.stop()
    await this.#pages.stop(deadline)
  }

  async #answer({ path, query, gone }: PageRequest): Promise<Answer> {
    if (path === '/debug/pprof' || path === '/debug/pprof/') return text(200, this.#index())
    const page = PAGES[path]
    if (page === undefined) return text(404, `404 page not found\n\n${this.#index()}`)
    const seconds = Number(query.get('seconds') ?? page.defaultSeconds)
    if (!(seconds > 0 && seconds <= MAX_SECONDS)) return text(400, `seconds must be above 0 and at most ${MAX_SECONDS}`)
    const thread = threadOf(query.get('shard') ?? '0')
    if (thread === undefined) return text(400, 'shard must be the number of a shard, or supervisor')
    const end = AbortSignal.any([gone(), this.#stopping.signal])
    try {
      const body = await this.#context.threads.profile(thread, page.subject, seconds * 1000, end)
      const name = `millrace-${thread === 'supervisor' ? thread : `shard-${thread}`}.${page.suffix}`
      const headers = { 'content-disposition': `attachment; filename="${name}"` }
      return { status: 200, type: 'application/json', body, headers }
    } catch (error) {
      if (error instanceof ThreadError) return text(STATUS[error.reason], error.message)
      throw error
    }
  }

  #index(): string {
    const shards = this.#context.health().shards.map(({ index, state }) => `  shard=${index}            ${state}`)
    return `Profiles as JSON for Chrome DevTools (Performance, Memory) and https://www.speedscope.app

/debug/pprof/profile?seconds=${CPU.defaultSeconds}   where processor time goes (.cpuprofile)
/debug/pprof/heap?seconds=${HEAP.defaultSeconds}       what is allocated meanwhile and stays (.heapprofile)
/debug/pprof/allocs?seconds=${ALLOCS.defaultSeconds}     what is allocated meanwhile (.heapprofile)

of shard 0, or of the thread that is named:

${shards.join('\n')}
  shard=supervisor   the main thread
`
  }
}

function threadOf(name: string): ThreadName | undefined {
  if (name === 'supervisor') return name
  return /^\d{1,4}$/.test(name) ? Number(name) : undefined
}
