// The case folders of decoders: cases/<form>/
//
//   config.yaml     the keys of a rule that say how payloads are read
//   input.txt       messages, each behind an empty line: the topic, properties of MQTT 5 as `@name: value`, the payload
//   output.jsonl    what becomes of each: requests of metrics and of logs, or why it was refused
//
// All messages come at 2026-01-01T00:00:00Z. Lines of the input that begin with # are for the reader.

import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Source } from '../../../config/node.ts'
import { parseYaml } from '../../../config/parse.ts'
import { formatProblem, type Problem } from '../../../config/problem.ts'
import { object, string } from '../../../config/schema.ts'
import { At } from '../../../config/types.ts'
import { KIND, type NamingRules } from '../../../readings/naming.ts'
import { toUcum } from '../../../readings/units.ts'
import { payloadFields } from './config.ts'
import { type DecoderContext, type Message, plainContext } from './decoder.ts'
import { findDecoder } from './decoders.ts'
import { DecoderRig } from './testing.ts'

const NAMING: NamingRules = { kindOf: () => KIND.GAUGE, unitOf: (unit) => (unit === '' ? '' : toUcum(unit)) }
const schema = object({ decoder: string('decoder', { required: true, doc: 'The decoder.' }), ...payloadFields })
const FOLDER = new URL('./cases/', import.meta.url).pathname

export interface InputMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly properties: ReadonlyMap<string, string>
}

export interface DecoderCase {
  readonly name: string
  readonly folder: string
  readonly decoder: string
  readonly messages: readonly InputMessage[]
  /** A new decoder with the case's configuration. */
  rig(): DecoderRig
}

export function decoderCases(): DecoderCase[] {
  return globSync('*/', { cwd: FOLDER })
    .sort()
    .map((name) => readCase(join(FOLDER, name)))
}

function readCase(folder: string): DecoderCase {
  const source = new Source('config.yaml', readFileSync(join(folder, 'config.yaml'), 'utf8'))
  const { node, problems } = parseYaml(source)
  const found: Problem[] = [...problems]
  const config = schema.decode(node, new At('rule', { source, start: 0, end: 0 }, found))
  if (found.length > 0) throw new Error(`${folder}: ${found.map(formatProblem).join('\n')}`)
  const decoder = findDecoder(config.decoder)
  if (decoder === undefined) throw new Error(`${folder}: there is no decoder ${config.decoder}`)
  const rig = (): DecoderRig => {
    const context: DecoderContext = { ...plainContext(), words: config.words, paths: config.paths }
    return new DecoderRig(decoder, NAMING, undefined, context, config.time)
  }
  const messages = readInput(readFileSync(join(folder, 'input.txt'), 'utf8'))
  return { name: basename(folder), folder, decoder: config.decoder, messages, rig }
}

function readInput(text: string): InputMessage[] {
  return text
    .split(/\n\n+/)
    .map((block) => block.split('\n').filter((line) => !line.startsWith('#')))
    .filter((lines) => lines.some((line) => line !== ''))
    .map(([topic, ...rest]) => {
      const properties = new Map<string, string>()
      const payload: string[] = []
      for (const line of rest) {
        const property = payload.length === 0 ? /^@([^:]+): (.*)$/.exec(line) : null
        if (property === null) payload.push(line)
        else properties.set(property[1]!, property[2]!)
      }
      return { topic: topic!, payload: Buffer.from(payload.join('\n').trimEnd()), properties }
    })
}

/** What a message of a case is to a decoder. */
export const asMessage = ({ topic, properties }: InputMessage): Partial<Message> => ({
  topic,
  ownName: Buffer.from(topic.split('/').at(-1)!),
  contentType: properties.get('content-type'),
  userProperty: (name) => properties.get(name),
})
