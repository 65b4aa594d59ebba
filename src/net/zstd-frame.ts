// What a zstd frame says of itself (RFC 8878, 3.1.1), read without unpacking anything.
//
//   frame = magic:4 descriptor:1 [window:1] [dictionary:0..4] [content size:0..8] block... [checksum:4]
//   block = head:3 (bit 0: the last; bits 1-2: type; the rest: size) content

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd] as const
const DICTIONARY_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const
const BLOCK_HEAD_BYTES = 3
const CHECKSUM_BYTES = 4
const SINGLE_SEGMENT = 0x20
const HAS_CHECKSUM = 0x04
/** A block's type: one byte, repeated. */
const RUN = 1

const contentSizeAt = (descriptor: number): number =>
  5 + ((descriptor & SINGLE_SEGMENT) !== 0 ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]!

const contentSizeBytes = (descriptor: number): number =>
  descriptor < 64 && (descriptor & SINGLE_SEGMENT) !== 0 ? 1 : CONTENT_SIZE_BYTES[descriptor >>> 6]!

/** The size of the content where the header has one (modulo 2^32), else undefined. */
export function zstdContentSize(bytes: Uint8Array): number | undefined {
  const descriptor = bytes[4] ?? 0
  const at = contentSizeAt(descriptor)
  const size = contentSizeBytes(descriptor)
  if (size === 0 || at + size > bytes.length) return undefined
  let low = 0
  for (let i = Math.min(size, 4) - 1; i >= 0; i--) low = low * 256 + bytes[at + i]!
  return size === 2 ? 256 + low : low
}

/** Whether the bytes are one frame from its magic number to its last byte, and nothing else. */
export function isOneZstdFrame(bytes: Uint8Array): boolean {
  for (let i = 0; i < MAGIC.length; i++) if (bytes[i] !== MAGIC[i]) return false
  const descriptor = bytes[4] ?? 0
  let at = contentSizeAt(descriptor) + contentSizeBytes(descriptor)
  for (let last = false; !last; ) {
    if (at + BLOCK_HEAD_BYTES > bytes.length) return false
    const head = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
    at += BLOCK_HEAD_BYTES + (((head >>> 1) & 3) === RUN ? 1 : head >>> 3)
    last = (head & 1) !== 0
  }
  return at + ((descriptor & HAS_CHECKSUM) !== 0 ? CHECKSUM_BYTES : 0) === bytes.length
}
