// The hashes that are slow on purpose. Runs in the verifier's thread; a bcrypt of cost 10 keeps it busy for some 60 ms.

import { timingSafeEqual } from 'node:crypto'
import md5 from 'apache-md5'
import bcrypt from 'bcryptjs'

/** A CommonJS module whose types speak of a default export. */
const apr1 = md5 as unknown as (password: string, hash: string) => string

/** `hash` is as readHtpasswd has checked it. */
export function verifySlow(password: string, hash: string): boolean {
  // bcryptjs takes text as UTF-8; the other one takes a character for a byte.
  if (!hash.startsWith('$apr1$')) return bcrypt.compareSync(password, hash)
  const made = Buffer.from(apr1(Buffer.from(password).toString('latin1'), hash))
  const wanted = Buffer.from(hash)
  return made.length === wanted.length && timingSafeEqual(made, wanted)
}
