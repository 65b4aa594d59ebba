// Requests of text that stores take: bulk requests of documents, as Elasticsearch has them, with a line for what to do and one for
// the document; and InfluxDB's lines.

const OPEN_BRACE = 0x7b
const LINE_BREAK = 10

/** No request of OTLP begins so. */
export const isBulk = (request: Uint8Array): boolean => request[0] === OPEN_BRACE

/** Lines begin with the letter of a measurement, which no request of OTLP does. */
export const isLines = (request: Uint8Array): boolean => request[0]! >= 0x61 && request[0]! <= 0x7a

export function countLines(request: Uint8Array): number {
  let lines = 0
  for (let at = request.indexOf(LINE_BREAK); at >= 0; at = request.indexOf(LINE_BREAK, at + 1)) lines++
  return lines
}

export const countDocuments = (request: Uint8Array): number => countLines(request) / 2

const answers = new Map<number, Buffer>()

/** That all of them were taken, with a line for each, as the server has it. */
export function bulkAnswer(documents: number): Buffer {
  let answer = answers.get(documents)
  if (answer === undefined) {
    const items = Array.from({ length: documents }, () => '{"create":{"status":201}}').join(',')
    answer = Buffer.from(`{"errors":false,"took":3,"items":[${items}]}`)
    answers.set(documents, answer)
  }
  return answer
}
