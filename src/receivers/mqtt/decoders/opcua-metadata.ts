// What an OPC UA publisher says of the fields of its writers (Part 14, DataSetMetaData; retained):
//
//   {"MessageType": "ua-metadata", "PublisherId": "plc1", "DataSetWriterId": 1, "MetaData": {"Name": "press1", "Fields": [
//      {"Name": "Temperature", "BuiltInType": 11, "Properties": [
//         {"Key": "EngineeringUnits", "Value": {"UnitId": 4408652, "DisplayName": {"Text": "°C"}}}]}]}}
//
// A value may stand in a Variant (`Body`, `Value`) or not, and a qualified name may be an object. Without a display name the
// unit is the code of UN/ECE Recommendation 20 whose characters are the bytes of UnitId (Part 8, EUInformation).

import { asFields, asList, asText, type Definitions, type FieldDefinition } from './definitions.ts'

/** Which definitions are those of a DataSet: its writer's, by number or by name. */
export const writerKey = (publisher: string, writer: string): string => `${publisher}\0${writer}`

export function learnMetadata(parsed: unknown, definitions: Definitions): void {
  const { PublisherId, DataSetWriterId, DataSetWriterName, MetaData } = asFields(parsed)
  const fields = new Map<string, FieldDefinition>()
  for (const field of asList(asFields(MetaData).Fields)) {
    const { Name, Properties } = asFields(field)
    const unit = unitOf(asList(Properties))
    if (asText(Name) !== '' && unit !== '') fields.set(asText(Name), { unit: Buffer.from(unit), words: NO_WORDS })
  }
  for (const writer of [DataSetWriterId, DataSetWriterName])
    if (typeof writer === 'number' || typeof writer === 'string')
      definitions.learn(writerKey(String(PublisherId), String(writer)), fields)
}

const NO_WORDS: ReadonlyMap<string, number> = new Map()
/** A Variant in a structure in a Variant. */
const DEPTH_MAX = 4

function unitOf(properties: readonly unknown[]): string {
  for (const property of properties) {
    const { Key, Value } = asFields(property)
    const key = asText(Key) || asText(asFields(Key).Name)
    // Before names were written as `0:EngineeringUnits`.
    if (key.replace(/^\d+:/, '') === 'EngineeringUnits') return unitIn(Value, 0)
  }
  return ''
}

function unitIn(value: unknown, depth: number): string {
  const { DisplayName, UnitId, Body, Value } = asFields(value)
  const shown = asText(DisplayName) || asText(asFields(DisplayName).Text)
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
