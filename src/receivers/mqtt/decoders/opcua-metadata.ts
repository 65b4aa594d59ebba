// What an OPC UA publisher says of the fields of its writers (Part 14, DataSetMetaData; retained):
//
//   {"MessageType": "ua-metadata", "PublisherId": "plc1", "DataSetWriterId": 1, "MetaData": {"Name": "press1", "Fields": [
//      {"Name": "Temperature", "BuiltInType": 11, "Properties": [
//         {"Key": "EngineeringUnits", "Value": {"UnitId": 4408652, "DisplayName": {"Text": "°C"}}}]}]}}
//
// Texts of enumerations are those of EnumDataTypes, for fields whose DataType is one of them, or of the field's own EnumStrings
// and EnumValues. A value of them is written as its number, its symbol, or `<symbol>_<number>` (Part 6, 5.3.3).
//
// A value may stand in a Variant (`Body`, `Value`) or not, and a qualified name may be an object. Without a display name the
// unit is the code of UN/ECE Recommendation 20 whose characters are the bytes of UnitId (Part 8, EUInformation).

import { asFields, asList, asText, type Definitions, type FieldDefinition } from './definitions.ts'

/** Which definitions are those of a DataSet: its writer's, by number or by name. */
export const writerKey = (publisher: string, writer: string): string => `${publisher}\0${writer}`

export function learnMetadata(parsed: unknown, definitions: Definitions): void {
  const { PublisherId, DataSetWriterId, DataSetWriterName, MetaData } = asFields(parsed)
  const { Fields, EnumDataTypes } = asFields(MetaData)
  const enumerations = new Map<string, Words>()
  for (const type of asList(EnumDataTypes)) {
    const { DataTypeId, EnumDefinition } = asFields(type)
    const members = asList(asFields(EnumDefinition).Fields).map((member) => asFields(member))
    enumerations.set(
      nodeId(DataTypeId),
      wordsOf(members.map(({ Name, Value }) => [asText(Name), Value === undefined ? 0 : Number(Value)])),
    )
  }
  const fields = new Map<string, FieldDefinition>()
  for (const field of asList(Fields)) {
    const { Name, DataType, Properties } = asFields(field)
    const properties = asList(Properties)
    const unit = unitIn(propertyOf(properties, 'EngineeringUnits'), 0)
    const words = enumerations.get(nodeId(DataType)) ?? ownWords(properties)
    if (asText(Name) !== '' && (unit !== '' || words.size > 0))
      fields.set(asText(Name), { unit: Buffer.from(unit), words })
  }
  for (const writer of [DataSetWriterId, DataSetWriterName])
    if (typeof writer === 'number' || typeof writer === 'string')
      definitions.learn(writerKey(String(PublisherId), String(writer)), fields)
}

type Words = ReadonlyMap<string, number>

const NO_WORDS: Words = new Map()
/** A Variant in a structure in a Variant. */
const DEPTH_MAX = 4

/** Undefined where there is none. */
function propertyOf(properties: readonly unknown[], name: string): unknown {
  for (const property of properties) {
    const { Key, Value } = asFields(property)
    const key = asText(Key) || asText(asFields(Key).Name)
    // Before names were written as `0:EngineeringUnits`.
    if (key.replace(/^\d+:/, '') === name) return Value
  }
  return undefined
}

/** As one text, however it is written: `ns=2;i=3002`, or {"Id": 3002, "Namespace": 2}. */
function nodeId(id: unknown): string {
  const { Id, Namespace = 0 } = asFields(id)
  if (Id === undefined) return asText(id)
  const local = typeof Id === 'number' ? `i=${Id}` : `s=${Id}`
  return Number(Namespace) === 0 ? local : `ns=${Namespace};${local}`
}

function wordsOf(members: readonly (readonly [symbol: string, value: number])[]): Words {
  const words = new Map<string, number>()
  for (const [symbol, value] of members)
    if (symbol !== '' && Number.isFinite(value)) words.set(symbol, value).set(`${symbol}_${value}`, value)
  return words
}

function ownWords(properties: readonly unknown[]): Words {
  const strings = listIn(propertyOf(properties, 'EnumStrings'), 0)
  const values = listIn(propertyOf(properties, 'EnumValues'), 0).map((value) => asFields(value))
  if (strings.length === 0 && values.length === 0) return NO_WORDS
  return wordsOf([
    ...strings.map((text, value) => [localized(text), value] as const),
    ...values.map(({ DisplayName, Value }) => [localized(DisplayName), Number(Value)] as const),
  ])
}

const localized = (text: unknown): string => asText(text) || asText(asFields(text).Text)

function listIn(value: unknown, depth: number): readonly unknown[] {
  if (Array.isArray(value) || depth >= DEPTH_MAX) return asList(value)
  const { Body, Value } = asFields(value)
  return listIn(Body ?? Value, depth + 1)
}

function unitIn(value: unknown, depth: number): string {
  const { DisplayName, UnitId, Body, Value } = asFields(value)
  const shown = localized(DisplayName)
  if (shown !== '') return shown
  if (typeof UnitId === 'number' && UnitId > 0) return commonCode(UnitId)
  const inner = Body ?? Value
  return inner === undefined || depth >= DEPTH_MAX ? '' : unitIn(inner, depth + 1)
}

function commonCode(unitId: number): string {
  const bytes = [unitId >>> 24, (unitId >>> 16) & 0xff, (unitId >>> 8) & 0xff, unitId & 0xff].filter((byte) => byte > 0)
  const code = String.fromCharCode(...bytes)
  return COMMON_CODES[code] ?? code
}

/** UN/ECE Recommendation 20, those that machines have. */
const COMMON_CODES: Readonly<Record<string, string>> = {
  CEL: '°C',
  FAH: '°F',
  KEL: 'K',
  BAR: 'bar',
  MBR: 'mbar',
  PAL: 'Pa',
  KPA: 'kPa',
  MPA: 'MPa',
  RPM: 'rpm',
  HTZ: 'Hz',
  VLT: 'V',
  AMP: 'A',
  '4K': 'mA',
  WTT: 'W',
  KWT: 'kW',
  KWH: 'kWh',
  WHR: 'Wh',
  JOU: 'J',
  MMT: 'mm',
  MTR: 'm',
  MTS: 'm/s',
  C16: 'mm/s',
  KGM: 'kg',
  GRM: 'g',
  TNE: 't',
  NEW: 'N',
  NU: 'Nm',
  P1: '%',
  LTR: 'l',
  MTQ: 'm³',
  MQH: 'm³/h',
  L2: 'l/min',
  SEC: 's',
  C26: 'ms',
  MIN: 'min',
  HUR: 'h',
  C62: '1',
  H87: 'pcs',
}
