// The keys of the otlp_grpc exporter (reference/otelcol-core.md 4.1).

import { type Infer, object } from '../../config/schema.ts'
import { checkGrpcClient, grpcClientFields } from '../../net/grpc/client-config.ts'
import { sendingFields } from '../../sending/config.ts'

export const config = object(
  { ...grpcClientFields, ...sendingFields },
  { check: (value, problem) => checkGrpcClient(value, problem) },
)

export type OtlpGrpcConfig = Infer<typeof config>
