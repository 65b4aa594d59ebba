import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUcum, toUcum } from './units.ts'

// What plants write -> what OpenTelemetry gets.
const TABLE = `
°C degC C -> Cel
°F degF -> [degF]
K -> K
bar -> bar
mbar -> mbar
Pa -> Pa
kPa -> kPa
MPa -> MPa
psi PSI -> [psi]
rpm 1/min RPM U/min -> {revolution}/min
mm/s -> mm/s
m/s² m/s^2 m/s2 -> m/s2
g -> [g]
mm -> mm
µm μm um -> um
in -> [in_i]
l/min -> L/min
m³/h -> m3/h
kg -> kg
t -> t
kg/h -> kg/h
N -> N
kN -> kN
Nm -> N.m
pcs Stk 件 Pcs -> {piece}
parts/h -> {piece}/h
° -> deg
°/s -> deg/s
m³ -> m3
l -> L
kWh -> kW.h
Wh -> W.h
MJ -> MJ
J -> J
VA -> V.A
kVA -> kV.A
var -> V.A{reactive}
kvar -> kV.A{reactive}
V -> V
mV -> mV
A -> A
mA -> mA
Hz -> Hz
kHz -> kHz
cos_φ ratio -> 1
% %RH -> %
ppm -> [ppm]
pH -> [pH]
dB -> dB
dB(A) -> dB{A}
dBm -> {dBm}
lx -> lx
s -> s
min -> min
h -> h
d -> d
ms -> ms
µs -> us
V/m -> V/m
S/m -> S/m
µS/cm -> uS/cm
`

test('units of plants become UCUM codes', () => {
  for (const line of TABLE.trim().split('\n')) {
    const [texts, ucum] = line.split(' -> ')
    for (const text of texts!.split(' ')) assert.equal(toUcum(text.replace('_', ' ')), ucum, text)
  }
})

test('what is made of a unit is UCUM, and stays what it is when it comes again', () => {
  for (const line of TABLE.trim().split('\n')) {
    const ucum = line.split(' -> ')[1]!
    assert.ok(isUcum(ucum), ucum)
    assert.equal(toUcum(ucum), ucum)
  }
})

test('a prefix keeps its meaning: milli is not mega', () => {
  assert.equal(toUcum('mPa'), 'mPa')
  assert.equal(toUcum('MPa'), 'MPa')
  assert.equal(toUcum('mW'), 'mW')
  assert.equal(toUcum('MW'), 'MW')
})

test('a unit that nobody knows is kept as an annotation in printable ASCII', () => {
  assert.equal(toUcum('trays'), '{trays}')
  assert.equal(toUcum('good parts'), '{good_parts}')
  assert.equal(toUcum('a{b}c'), '{a_b_c}')
  assert.match(toUcum('温度'), /^\{_\}$/)
  assert.equal(toUcum('x'.repeat(500)).length, 65)
})

test('no unit is the unit 1', () => {
  assert.equal(toUcum(''), '1')
  assert.equal(toUcum('  '), '1')
})

test('UCUM is told from plain words', () => {
  for (const text of ['m3/h', 'kg.m/s2', '/min', '{piece}/h', 'mm[Hg]', '10*3/uL', 'cm2', 'dB'])
    assert.ok(isUcum(text), text)
  for (const text of ['', 'trays', 'kWh', 'm//s', 'm.', '{', '}', 'kg m', '°C']) assert.equal(isUcum(text), false, text)
})
