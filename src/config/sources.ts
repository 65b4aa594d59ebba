// Where configuration text comes from (Collector reference 1.2): file:, env:, yaml:, http: and https:.

import { readFile } from 'node:fs/promises'
import { normalize } from 'node:path'
import { MAX_SOURCE_LENGTH } from './parse.ts'

export interface Uri {
  readonly scheme: string
  readonly opaque: string
}

/** What one URI gave. Plain data. */
export type Retrieved =
  | { readonly ok: true; readonly name: string; readonly text: string; readonly state?: 'unset' | 'empty' }
  | {
      readonly ok: false
      readonly code: 'CONFIG_SOURCE' | 'CONFIG_SCHEME' | 'CONFIG_REFERENCE'
      readonly what: string
      readonly fix?: string
    }

export type Retriever = (uri: Uri) => Promise<Retrieved>

export const SCHEMES = ['env', 'file', 'http', 'https', 'yaml'] as const
/** What the Collector's contrib build reads besides, and Millrace does not. */
const COLLECTOR_SCHEMES: ReadonlySet<string> = new Set(['aes256', 'aes', 's3', 'secretsmanager', 'googlesecretmanager'])

/** How long an http: source may take. */
const HTTP_TIMEOUT_MS = 30_000
const ENV_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

export const uriText = ({ scheme, opaque }: Uri): string => `${scheme}:${opaque}`

/** The URI of a --config value; without a scheme, and after a drive letter, it is a file's path. */
export function parseSourceUri(text: string): Uri {
  if (/^[A-Za-z]:/.test(text)) return { scheme: 'file', opaque: text }
  return tryUri(text) ?? { scheme: 'file', opaque: text }
}

export function tryUri(text: string): Uri | undefined {
  const match = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s.exec(text)
  return match === null ? undefined : { scheme: match[1]!, opaque: match[2]! }
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Reads from the machine. */
export function retrieverOf(surroundings: Surroundings): Retriever {
  return async (uri) => {
    switch (uri.scheme) {
      case 'file':
        return await fromFile(uri.opaque)
      case 'env':
        return fromEnvironment(uri.opaque, surroundings.env)
      case 'yaml':
        return { ok: true, name: 'yaml:', text: uri.opaque }
      case 'http':
      case 'https':
        return await fromHttp(uriText(uri))
      default:
        return unknownScheme(uri)
    }
  }
}

function unknownScheme({ scheme, opaque }: Uri): Retrieved {
  const known = SCHEMES.map((name) => `${name}:`).join(', ')
  if (COLLECTOR_SCHEMES.has(scheme)) {
    return {
      ok: false,
      code: 'CONFIG_SCHEME',
      what: `the Collector reads ${scheme}: sources and Millrace does not`,
      fix: `use one of ${known}`,
    }
  }
  const fix = opaque.startsWith('-') ? `write \${env:${scheme}:${opaque}}` : `use one of ${known}`
  return { ok: false, code: 'CONFIG_SCHEME', what: `unsupported scheme on URI: ${scheme}:`, fix }
}

async function fromFile(path: string): Promise<Retrieved> {
  const name = normalize(path)
  try {
    return { ok: true, name, text: await readFile(name, 'utf8') }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'it is a folder'
          : code === 'EACCES'
            ? 'it may not be read'
            : String(code)
    return { ok: false, code: 'CONFIG_SOURCE', what: `cannot read ${name}: ${why}` }
  }
}

function fromEnvironment(opaque: string, env: Surroundings['env']): Retrieved {
  const cut = opaque.indexOf(':-')
  const name = cut < 0 ? opaque : opaque.slice(0, cut)
  if (!ENV_NAME.test(name)) {
    const what = `${JSON.stringify(name)} is no name of an environment variable`
    return {
      ok: false,
      code: 'CONFIG_REFERENCE',
      what,
      fix: `write letters, digits and _, or $\${${opaque}} for the text itself`,
    }
  }
  const value = env[name]
  if (value !== undefined)
    return { ok: true, name: `env:${name}`, text: value, ...(value === '' ? { state: 'empty' as const } : {}) }
  if (cut >= 0) return { ok: true, name: `env:${name}`, text: opaque.slice(cut + 2) }
  return { ok: true, name: `env:${name}`, text: '', state: 'unset' }
}

async function fromHttp(text: string): Promise<Retrieved> {
  if (!URL.canParse(text)) return { ok: false, code: 'CONFIG_SOURCE', what: `${JSON.stringify(text)} is no URL` }
  const url = new URL(text)
  // A password or a token in the URL is for the server alone.
  const name = `${url.origin}${url.pathname}`
  const refuse = (why: string): Retrieved => ({ ok: false, code: 'CONFIG_SOURCE', what: `cannot read ${name}: ${why}` })
  try {
    const headers = new Headers()
    if (url.username !== '') {
      const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
      headers.set('authorization', `Basic ${Buffer.from(user).toString('base64')}`)
      url.username = ''
      url.password = ''
    }
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) })
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel()
      return refuse(`the answer is ${response.status}, not 200`)
    }
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of response.body) {
      length += chunk.byteLength
      if (length > MAX_SOURCE_LENGTH) return refuse(`it has more than ${MAX_SOURCE_LENGTH} bytes`)
      chunks.push(chunk)
    }
    return { ok: true, name, text: Buffer.concat(chunks).toString('utf8') }
  } catch (error) {
    const { cause, message } = error as Error
    return refuse(cause instanceof Error && cause.message !== '' ? cause.message : message)
  }
}

/** Reads each URI once: whoever asks again gets what came the first time. */
export function readOnce(retrieve: Retriever): Retriever {
  const known = new Map<string, Retrieved>()
  return async (uri) => {
    const key = uriText(uri)
    const got = known.get(key) ?? (await retrieve(uri))
    known.set(key, got)
    return got
  }
}
