// Comparing secrets so that the time it takes tells nothing of them: both sides become digests of one length first.

import { hash, timingSafeEqual } from 'node:crypto'

/** 32 bytes that stand for a secret. */
export const digestOf = (secret: string): Buffer => hash('sha256', secret, 'buffer')

export const isSameSecret = (a: string, b: string): boolean => timingSafeEqual(digestOf(a), digestOf(b))

/** The place of `secret` among digests, or -1. Looks at all of them, wherever it is. */
export function findSecret(secret: string, digests: readonly Buffer[]): number {
  const digest = digestOf(secret)
  let found = -1
  for (let at = 0; at < digests.length; at++) if (timingSafeEqual(digest, digests[at]!)) found = at
  return found
}

/** Longer than any credential; what is longer is refused unread. */
export const MAX_CREDENTIAL_CHARACTERS = 16 * 1024
