// The pages of pprof: profiles of the shard that it runs in.
//
//   /debug/pprof/profile?seconds=30   /debug/cpu     where processor time goes         .cpuprofile
//   /debug/pprof/heap?seconds=5       /debug/heap    what was allocated and stays      .heapprofile
//   /debug/pprof/allocs?seconds=5                    what was allocated                .heapprofile

import { writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { object } from '../../config/schema.ts'
import type { Extension, ExtensionContext } from '../../graph/component.ts'
import { type HttpServerHandle, startHttpServer } from '../../net/http/server.ts'
import { httpServerFields } from '../../net/http/server-config.ts'
import type { Listening } from '../../net/listen.ts'
import type { PprofConfig } from './config.ts'
import { Profiler, ProfilerBusy, type Subject } from './profiler.ts'

/** Longest profile that a request may ask for. */
const MAX_SECONDS = 300
/** save_to_file ends by itself after this long, because V8 keeps all samples in memory. */
const SAVE_MAX_MS = 3_600_000

interface Page {
  readonly subject: Subject
  readonly defaultSeconds: number
  readonly suffix: string
}

const CPU: Page = { subject: { kind: 'cpu', intervalMicros: 1_000 }, defaultSeconds: 30, suffix: 'cpuprofile' }
const HEAP: Page = { subject: { kind: 'heap', garbage: false }, defaultSeconds: 5, suffix: 'heapprofile' }
const ALLOCS: Page = { subject: { kind: 'heap', garbage: true }, defaultSeconds: 5, suffix: 'heapprofile' }
/** Over hours, a sample every 10 ms as Go takes them. */
const SAVED: Subject = { kind: 'cpu', intervalMicros: 10_000 }

const PAGES: Readonly<Record<string, Page>> = {
  '/debug/pprof/profile': CPU,
  '/debug/cpu': CPU,
  '/debug/pprof/heap': HEAP,
  '/debug/heap': HEAP,
  '/debug/pprof/allocs': ALLOCS,
}

const INDEX = `Profiles of a shard, as JSON for Chrome DevTools (Performance, Memory) and https://www.speedscope.app

/debug/pprof/profile?seconds=${CPU.defaultSeconds}   where processor time goes (.cpuprofile)
/debug/pprof/heap?seconds=${HEAP.defaultSeconds}       what is allocated meanwhile and stays (.heapprofile)
/debug/pprof/allocs?seconds=${ALLOCS.defaultSeconds}     what is allocated meanwhile (.heapprofile)
`

export class Pprof implements Extension {
  readonly #config: PprofConfig
  readonly #context: ExtensionContext
  readonly #profiler = new Profiler()
  /** Ends every profile under way. */
  readonly #stopping = new AbortController()
  #server: HttpServerHandle | undefined
  #saving: Promise<void> | undefined

  constructor(config: PprofConfig, context: ExtensionContext) {
    this.#config = config
    this.#context = context
  }

  /** Where it listens, once started. */
  get address(): Listening | undefined {
    return this.#server
  }

  async start(): Promise<void> {
    const { log } = this.#context
    const { endpoint, saveToFile } = this.#config
    // A profile takes longer than an ordinary answer may.
    const settings = { ...object(httpServerFields).zero(), endpoint, writeTimeoutMs: 0 }
    this.#server = await startHttpServer(settings, this.#context, (request, response) => {
      request.resume()
      void this.#handle(request, response)
    })
    log.info('pprof listens.', { endpoint: `${this.#server.host}:${this.#server.port}` })
    if (saveToFile !== '') this.#saving = this.#save(saveToFile)
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort()
    await this.#saving
    await this.#server?.close(deadline)
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    if (path === '/debug/pprof' || path === '/debug/pprof/') {
      answer(response, 200, INDEX)
      return
    }
    const page = PAGES[path]
    if (page === undefined) {
      answer(response, 404, `404 page not found\n\n${INDEX}`)
      return
    }
    const seconds = Number(new URLSearchParams(query).get('seconds') ?? page.defaultSeconds)
    if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
      answer(response, 400, `seconds must be above 0 and at most ${MAX_SECONDS}\n`)
      return
    }
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      const json = await this.#profiler.profile(page.subject, () => this.#wait(seconds * 1000, gone.signal))
      response.setHeader('content-disposition', `attachment; filename="millrace.${page.suffix}"`)
      answer(response, 200, json, 'application/json')
    } catch (error) {
      answer(response, error instanceof ProfilerBusy ? 409 : 500, `${(error as Error).message}\n`)
    }
  }

  async #save(file: string): Promise<void> {
    const { log } = this.#context
    try {
      writeFileSync(file, await this.#profiler.profile(SAVED, () => this.#wait(SAVE_MAX_MS, this.#stopping.signal)))
      log.info('The profile is saved.', { file })
    } catch (error) {
      log.error('The profile could not be saved.', { file, error: (error as Error).message })
    }
  }

  /** Until the time is over, `signal` aborts, or the extension stops. */
  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = AbortSignal.any([signal, this.#stopping.signal])
      if (end.aborted) {
        resolve()
        return
      }
      const timer = this.#context.clock.after(ms, resolve)
      end.addEventListener('abort', () => {
        timer.cancel()
        resolve()
      })
    })
  }
}

function answer(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
}
