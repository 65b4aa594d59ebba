import { defineCase } from '../case.ts'
import plant from './plant.ts'

export default defineCase({
  ...plant,
  summary: "The usual plant file at a plant's pace: 20,000 spans a second in requests of 100; what a quiet hour costs.",
  items: [100],
  rate: () => 20_000,
  warmUpMs: 20_000,
  durationMs: 20_000,
})
