// The end of a connection that we end.

import type { Socket } from 'node:net'

/** For what is still to be written. A client that does not even read its last words loses them. */
const LINGER_MS = 1_000

/** Writes what is left for a moment, then closes, whether the other side reads or not. */
export function endSocket(socket: Socket): void {
  if (socket.destroyed) return
  lingerThenDestroy(socket)
  socket.destroySoon()
}

/** The same where the socket has been ended already. */
export function lingerThenDestroy(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}
