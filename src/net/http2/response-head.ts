// The headers of an answer, with the rules of RFC 9113 8.3.2 about its pseudo-header; also its trailers, which have none.

import { Fields } from './fields.ts'

export class ResponseHead extends Fields {
  /** 0: the block has none. */
  status = 0

  /** RFC 9110 15.2: others follow. */
  get isInformational(): boolean {
    return this.status >= 100 && this.status < 200
  }

  protected override takePseudo(name: string, value: string): string | undefined {
    if (name !== ':status') return `unknown pseudo-header ${name}`
    if (this.status !== 0) return `${name} twice`
    this.status = STATUS.test(value) ? Number(value) : 0
    return this.status === 0 ? `:status ${value}` : undefined
  }

  /** White space at an end is let pass: gRPC leaves blanks of grpc-message as they are, and its servers send them. */
  protected override isValue(value: string): boolean {
    return VALUE.test(value)
  }

  /** Which of its blocks needs a status is known to the stream. */
  override complete(): void {}
}

const STATUS = /^[1-9]\d\d$/
const VALUE = /^[^\0\r\n]*$/
