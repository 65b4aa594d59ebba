# A server on grpcio (gRPC's C core) for the tests of the gRPC client: takes Export calls of any signal, counts them by the
# eight bytes that each message begins with, and says what it has counted when its input ends.
#
#   server.py [-streams N] [-age MILLISECONDS] [-delay MILLISECONDS] [-cert FILE -key FILE]
#
# First line: the port. Last line: {"calls": N, "messages": distinct ones, "bytes": N, "connections": N}.

import argparse
import concurrent.futures
import json
import sys
import threading
import time

import grpc

parser = argparse.ArgumentParser()
parser.add_argument('-streams', type=int, default=100)
parser.add_argument('-age', type=int)
parser.add_argument('-delay', type=int, default=0)
parser.add_argument('-cert')
parser.add_argument('-key')
args = parser.parse_args()

lock = threading.Lock()
calls = length = 0
messages = set()
connections = set()


def export(message, context):
    global calls, length
    time.sleep(args.delay / 1000)
    with lock:
        calls += 1
        length += len(message)
        messages.add(message[:8])
        connections.add(context.peer())
    return b''


class Service(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(export)


options = [
    ('grpc.max_concurrent_streams', args.streams),
    ('grpc.max_receive_message_length', 64 << 20),
    ('grpc.so_reuseport', 0),
]
if args.age is not None:
    options.append(('grpc.max_connection_age_ms', args.age))
workers = concurrent.futures.ThreadPoolExecutor(max_workers=32)
server = grpc.server(workers, handlers=[Service()], options=options)
if args.cert is None:
    port = server.add_insecure_port('127.0.0.1:0')
else:
    with open(args.key, 'rb') as key, open(args.cert, 'rb') as cert:
        credentials = grpc.ssl_server_credentials([(key.read(), cert.read())])
    port = server.add_secure_port('127.0.0.1:0', credentials)
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(5).wait()
counted = {'calls': calls, 'messages': len(messages), 'bytes': length, 'connections': len(connections)}
print(json.dumps(counted), flush=True)
