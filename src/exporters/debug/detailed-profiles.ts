// The detailed text of profiles: the dictionary that all of them share, then each profile.

import { timestamp, typedValue, valueText } from './go-text.ts'
import { column, type Lines } from './lines.ts'
import type { Message } from './message.ts'
import { profileAttributes } from './normal.ts'

const indices = (numbers: readonly (number | string)[]): string => `[${numbers.join(' ')}]`

export function dictionary(lines: Lines, dictionary: Message): void {
  dictionary.children('mappingTable').forEach((mapping, i) => {
    lines.push(
      `Mapping #${i}`,
      `    Memory start: ${mapping.digits('memoryStart')}`,
      `    Memory limit: ${mapping.digits('memoryLimit')}`,
      `    File offset: ${mapping.digits('fileOffset')}`,
      `    File name: ${mapping.number('filenameStrindex')}`,
      `    Attributes: ${indices(mapping.numbers('attributeIndices'))}`,
    )
  })
  dictionary.children('locationTable').forEach((location, i) => {
    lines.push(
      `Location #${i}`,
      `    Mapping index: ${location.number('mappingIndex')}`,
      `    Address: ${location.digits('address')}`,
    )
    location.children('lines').forEach((line, j) => {
      lines.push(
        `    Line #${j}`,
        `        Function index: ${line.number('functionIndex')}`,
        `        Line: ${line.digits('line')}`,
        `        Column: ${line.digits('column')}`,
      )
    })
    lines.push(`    Attributes: ${indices(location.numbers('attributeIndices'))}`)
  })
  dictionary.children('functionTable').forEach((each, i) => {
    lines.push(
      `Function #${i}`,
      `    Name: ${each.number('nameStrindex')}`,
      `    System name: ${each.number('systemNameStrindex')}`,
      `    Filename: ${each.number('filenameStrindex')}`,
      `    Start line: ${each.digits('startLine')}`,
    )
  })
  table(lines, 'Attribute table', dictionary.children('attributeTable'), (each) => [
    `     -> Key: Int(${each.number('keyStrindex')})`,
    `     -> Value: ${typedValue(each.child('value'))}`,
    `     -> unit: Int(${each.number('unitStrindex')})`,
  ])
  table(lines, 'Link table', dictionary.children('linkTable'), (each) => [
    `     -> Trace ID: Str(${each.text('traceId')})`,
    `     -> Span ID: Str(${each.text('spanId')})`,
  ])
  table(lines, 'String table', dictionary.texts('stringTable'), (each) => [`    ${each}`])
}

function table<T>(lines: Lines, header: string, rows: readonly T[], text: (row: T) => string[]): void {
  if (rows.length > 0) lines.push(`${header}:`, ...rows.flatMap(text))
}

export function profile(lines: Lines, profile: Message, number: number, dictionary: Message): void {
  lines.push(
    `Profile #${number}`,
    column('Profile ID', profile.text('profileId')),
    column('Start time', timestamp(profile.digits('timeUnixNano'))),
    column('DurationNano', profile.digits('durationNano')),
    `    Dropped attributes count: ${profile.number('droppedAttributesCount')}`,
  )
  profile.children('samples').forEach((sample, i) => {
    lines.push(`    Sample #${i}`, `        Values: ${indices(sample.texts('values'))}`)
    const attributes = profileAttributes(sample.numbers('attributeIndices'), dictionary)
    if (attributes.length > 0) lines.push('        Attributes:')
    for (const { key, value } of attributes) lines.push(`             -> ${key}: ${valueText(value)}`)
  })
}
