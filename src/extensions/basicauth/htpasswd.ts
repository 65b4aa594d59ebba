// An htpasswd file: `name:password` lines, the password hashed by htpasswd or plain.
//
//   $2y$ $2a$ $2b$   bcrypt        slow on purpose      {SHA}    SHA-1, base64
//   $apr1$           Apache's MD5  slow                 {SSHA}   SHA-1 with salt, base64
//   anything else    the password itself
//
// Slow hashes are checked in a thread (verifier.ts), the others at once.

import { createHash, timingSafeEqual } from 'node:crypto'
import { digestOf } from '../../net/auth/compare.ts'

export type Entry = SlowEntry | QuickEntry

/** For verifySlow in the thread. */
export interface SlowEntry {
  readonly slow: true
  readonly hash: string
}

export interface QuickEntry {
  readonly slow: false
  /** Takes the same time whether the password is right or wrong. */
  isPassword(password: string): boolean
}

export type Htpasswd = ReadonlyMap<string, Entry>

const SHA1_BYTES = 20

/** Throws an Error that names the line; it never quotes one. Of a name that comes twice the first line counts. */
export function readHtpasswd(text: string): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    if (colon <= 0) throw new Error(`line ${index + 1} is not name:password`)
    const name = line.slice(0, colon)
    if (!entries.has(name)) entries.set(name, entryOf(line.slice(colon + 1), index + 1))
  }
  return entries
}

function entryOf(stored: string, line: number): Entry {
  if (stored === '') throw new Error(`line ${line} has no password`)
  if (/^\$2[aby]\$/.test(stored)) {
    if (!/^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/.test(stored))
      throw new Error(`line ${line} is no whole bcrypt hash`)
    return { slow: true, hash: stored }
  }
  if (stored.startsWith('$apr1$')) {
    if (!/^\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}$/.test(stored))
      throw new Error(`line ${line} is no whole $apr1$ hash`)
    return { slow: true, hash: stored }
  }
  if (/^\{S?SHA\}/.test(stored)) return shaEntry(stored, line)
  if (/^\$\w+\$/.test(stored))
    throw new Error(`line ${line} has a hash of a kind that is not supported: use bcrypt, as htpasswd -B writes it`)
  const digest = digestOf(stored)
  return { slow: false, isPassword: (password) => timingSafeEqual(digestOf(password), digest) }
}

function shaEntry(stored: string, line: number): Entry {
  const salted = stored.startsWith('{SSHA}')
  const bytes = Buffer.from(stored.slice(stored.indexOf('}') + 1), 'base64')
  if (salted ? bytes.length <= SHA1_BYTES : bytes.length !== SHA1_BYTES)
    throw new Error(`line ${line} is no whole ${salted ? '{SSHA}' : '{SHA}'} hash`)
  const digest = bytes.subarray(0, SHA1_BYTES)
  const salt = bytes.subarray(SHA1_BYTES)
  return {
    slow: false,
    isPassword: (password) => timingSafeEqual(createHash('sha1').update(password).update(salt).digest(), digest),
  }
}
