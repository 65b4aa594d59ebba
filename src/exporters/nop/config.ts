import { type Infer, object } from '../../config/schema.ts'

export const config = object({})

export type NopExporterConfig = Infer<typeof config>
