// The order of an edge node's messages. They count from any value, one more each, and begin again at 0 behind 255; a node
// of Sparkplug 4.0 goes on with 256.
//
//   expected 7:   7 now    8, 9 ... ahead, to be held    6, 5 ... behind: it came after its place was given up

const LAST_OF_3 = 255
/** Behind is what is nearer going backwards: half a round. */
const HALF = 128

export const PLACE = { NOW: 0, AHEAD: 1, BEHIND: 2 } as const
export type Place = (typeof PLACE)[keyof typeof PLACE]

export class Sequence {
  /** -1: any value is the base. */
  last = -1

  /** Any value is the base of what follows. */
  forget(): void {
    this.last = -1
  }

  place(seq: number): Place {
    const distance = this.distance(seq)
    return distance === 0 ? PLACE.NOW : distance > 0 ? PLACE.AHEAD : PLACE.BEHIND
  }

  /** How many messages are missing before this one; below 0: it is late, by so many. */
  distance(seq: number): number {
    const { last } = this
    if (last < 0 || seq === last + 1) return 0
    if (seq > LAST_OF_3 || last > LAST_OF_3) return seq - last - 1
    const ahead = (seq - last - 1) & LAST_OF_3
    return ahead < HALF ? ahead : ahead - LAST_OF_3 - 1
  }
}
