# A client on grpcio (gRPC's C core) for the tests of the gRPC door: makes calls of every kind and prints what came of them
# as JSON, answers in hexadecimal, errors as their codes.
#
#   client.py PORT HEX-OF-A-REQUEST [CA-FILE]

import json
import sys

import grpc

EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
address = '127.0.0.1:' + sys.argv[1]
body = bytes.fromhex(sys.argv[2])
seen = []


def open_channel():
    if len(sys.argv) <= 3:
        return grpc.insecure_channel(address)
    with open(sys.argv[3], 'rb') as pem:
        credentials = grpc.ssl_channel_credentials(pem.read())
    return grpc.secure_channel(address, credentials, [('grpc.ssl_target_name_override', 'localhost')])


with open_channel() as channel:

    def call(message, compression=None, path=EXPORT):
        try:
            seen.append(channel.unary_unary(path)(message, timeout=8, compression=compression).hex())
        except grpc.RpcError as error:
            seen.append(error.code().value[0])

    call(body)
    call(body, grpc.Compression.Gzip)
    call(body * 20000)
    call(b'not protobuf')
    call(b'\0' * (5 << 20))
    call(body, path='/no.Such/Method')
    futures = [channel.unary_unary(EXPORT).future(body, timeout=8) for _ in range(300)]
    seen.append(sum(future.result().hex() == '0a00' for future in futures))
print(json.dumps(seen))
