// A consistent hash ring, the same as the Collector's (contrib, exporter/loadbalancingexporter/consistent_hashing.go), so
// that Collectors and Millraces in front of the same gateways send one key to the same of them.
//
//   ring      36000 positions; each endpoint takes 100 of them: crc32(endpoint's text, then the byte 0 .. 99) % 36000.
//             A position that is taken stays with the endpoint that comes first in the sorted list.
//   key       crc32(key) % 36000; it belongs to the first taken position at or behind that, going round.
//
// crc32 is the IEEE polynomial. The text is the one that the resolver gives, without a port where none is written.

import { crcOf, EMPTY_CRC } from '../../otlp/hash.ts'

const POSITIONS = 36_000
const POINTS_PER_ENDPOINT = 100

export class HashRing {
  /** Sorted, each once; an endpoint's number is its place here. */
  readonly endpoints: readonly string[]
  readonly #owner = new Uint16Array(POSITIONS)

  /** At most 65536 endpoints. */
  constructor(endpoints: readonly string[]) {
    this.endpoints = [...new Set(endpoints)].sort()
    const taken = new Int32Array(POSITIONS).fill(-1)
    let last = -1
    this.endpoints.forEach((endpoint, number) => {
      for (const position of positionsOf(endpoint)) {
        if (taken[position] !== -1) continue
        taken[position] = number
        last = Math.max(last, position)
      }
    })
    if (last < 0) return
    // From the last position backwards, each belongs to the taken one at or behind it.
    let first = 0
    while (taken[first] === -1) first++
    let owner = taken[first]!
    for (let position = POSITIONS - 1; position >= 0; position--) {
      if (taken[position] !== -1) owner = taken[position]!
      this.#owner[position] = owner
    }
  }

  get size(): number {
    return this.endpoints.length
  }

  /** The number of the endpoint that a key belongs to, by the key's checksum. The ring must not be empty. */
  ownerOf(crc: number): number {
    return this.#owner[crc % POSITIONS]!
  }

  equals(other: HashRing): boolean {
    return this.size === other.size && this.endpoints.every((endpoint, i) => endpoint === other.endpoints[i])
  }
}

/** In the order of their numbers; two may be the same. */
export function positionsOf(endpoint: string, points = POINTS_PER_ENDPOINT): number[] {
  const crc = crcOf(EMPTY_CRC, Buffer.from(endpoint))
  return Array.from({ length: points }, (_, number) => crcOf(crc, Uint8Array.of(number)) % POSITIONS)
}
