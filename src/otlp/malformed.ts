/** What a sender is told when its request is not OTLP: what is wrong, where, and nothing of the data itself. */
export class MalformedOtlp extends Error {
  /** In bytes (protobuf) or characters (JSON) from the start of the request; absent where no place can be named. */
  readonly offset: number | undefined

  constructor(what: string, offset?: number) {
    super(offset === undefined ? what : `${what} at byte ${offset}`)
    this.name = 'MalformedOtlp'
    this.offset = offset
  }
}
