// The keys of the jaeger exporter, those of a gRPC client (reference/otelcol-core.md 4.11).

import { choice, type Infer, object } from '../../config/schema.ts'
import { COMPRESSIONS, checkGrpcClient, grpcClientFields } from '../../net/grpc/client-config.ts'
import { sendingFields } from '../../sending/config.ts'

export const config = object(
  {
    ...grpcClientFields,
    compression: choice('compression', {
      default: 'none',
      of: COMPRESSIONS,
      doc: 'How requests are packed. Jaeger understands gzip.',
    }),
    ...sendingFields,
  },
  { check: (value, problem) => checkGrpcClient(value, problem) },
)

export type JaegerConfig = Infer<typeof config>
