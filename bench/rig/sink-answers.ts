// What the sink may answer, shared by its doors.

/** A number is how many items a partial success rejects. */
export type Answer = 'ok' | 'unavailable' | 'invalid' | 'cut' | number
/** Returns false when the client is gone. */
export type Reply = (answer: Answer) => boolean
export type Receive = (body: Buffer, reply: Reply) => void

/** ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1, error_message = 2 } }. */
export function partialResponse(rejected: number): Uint8Array {
  const words = Buffer.from('the sink rejects every third')
  const count: number[] = []
  for (let rest = rejected; ; rest = Math.floor(rest / 128)) {
    count.push(rest < 128 ? rest : (rest % 128) + 128)
    if (rest < 128) break
  }
  const partial = [8, ...count, 18, words.length, ...words]
  return Uint8Array.from([10, partial.length, ...partial])
}
