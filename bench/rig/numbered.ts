// Numbers on requests, so that what arrived can be compared with what was answered OK, one by one.
//
// The value of an attribute (payloads.ts) gives way to
//   ~mr  sender (2 hex digits)  number (8 hex digits)
// which is text like any other, and so survives routing, batching, edits, other encodings and other field orders.
// The sink finds it by its first three bytes, without knowing what a request is made of. The load of a bench marks the
// last item of a request only; a fault run marks each.

import { NUMBERED_VALUES } from './payloads.ts'

const MARK = Buffer.from('~mr')
const DIGITS = Buffer.from('0123456789abcdef')
const SENDER_DIGITS = 2
const NUMBER_DIGITS = 8
export const MARK_BYTES = MARK.length + SENDER_DIGITS + NUMBER_DIGITS
export const MOST_SENDERS = 16 ** SENDER_DIGITS

/** Offsets of all values that can become marks, in a request that was made by payloads.ts. */
export function findMarks(request: Uint8Array): number[] {
  const text = Buffer.from(request.buffer, request.byteOffset, request.byteLength).toString('latin1')
  for (const value of NUMBERED_VALUES) {
    const found = [...text.matchAll(value)].map(({ index }) => index)
    if (found.length > 0) return found
  }
  throw new Error('the request has no value to write a number into: its items need four attributes')
}

export const findLastMark = (request: Uint8Array): number => findMarks(request).at(-1)!

export function writeMark(bytes: Uint8Array, at: number, sender: number, number: number): void {
  bytes.set(MARK, at)
  let end = at + MARK_BYTES
  for (let digit = 0, rest = number; digit < NUMBER_DIGITS; digit++, rest >>>= 4) bytes[--end] = DIGITS[rest & 15]!
  for (let digit = 0, rest = sender; digit < SENDER_DIGITS; digit++, rest >>>= 4) bytes[--end] = DIGITS[rest & 15]!
}

/** Tells of each number in a request. */
export function readMarks(request: Buffer, onNumber: (sender: number, number: number) => void): void {
  for (let at = request.indexOf(MARK); at >= 0; at = request.indexOf(MARK, at + 1)) {
    const sender = readHex(request, at + MARK.length, SENDER_DIGITS)
    const number = readHex(request, at + MARK.length + SENDER_DIGITS, NUMBER_DIGITS)
    // The three bytes may stand in an id by chance.
    if (sender >= 0 && number >= 0) onNumber(sender, number)
  }
}

function readHex(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0
  for (let index = at; index < at + digits; index++) {
    const byte = bytes[index] ?? 0
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

/** A set of numbers from 0, a bit each. */
export class NumberSet {
  bits = new Uint8Array(1024)
  size = 0

  add(number: number): void {
    if (number >> 3 >= this.bits.length) {
      const grown = new Uint8Array(Math.max(this.bits.length * 2, (number >> 3) + 1))
      grown.set(this.bits)
      this.bits = grown
    }
    const bit = 1 << (number & 7)
    if ((this.bits[number >> 3]! & bit) === 0) this.size++
    this.bits[number >> 3]! |= bit
  }
}

/** How many numbers are in `sent` and in none of the others. */
export function countMissing(sent: Uint8Array, ...others: readonly (Uint8Array | undefined)[]): number {
  let missing = 0
  for (let index = 0; index < sent.length; index++) {
    let bits = sent[index]!
    for (const other of others) bits &= ~(other?.[index] ?? 0)
    for (; bits !== 0; bits &= bits - 1) missing++
  }
  return missing
}

/** How many numbers a set of so many bits holds. */
export const countNumbers = (bits: Uint8Array): number => countMissing(bits)
