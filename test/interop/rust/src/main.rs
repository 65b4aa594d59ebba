// A client on tonic for the tests of the gRPC door: makes calls of every kind and prints what came of them as JSON, answers
// in hexadecimal, errors as their codes.
//
//	interop PORT HEX-OF-A-REQUEST [CA-FILE]

use bytes::{Buf, BufMut, Bytes};
use std::time::Duration;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Messages are bytes as they are.
#[derive(Clone, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

async fn call(channel: &Channel, path: &'static str, message: Bytes, packed: bool) -> String {
    let mut client = Grpc::new(channel.clone());
    if packed {
        client = client
            .send_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Gzip);
    }
    if let Err(error) = client.ready().await {
        return format!("\"not ready: {error}\"");
    }
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_secs(8));
    match client.unary(request, PathAndQuery::from_static(path), Raw).await {
        Ok(answer) => {
            let hex: String = answer.into_inner().iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\"{hex}\"")
        }
        Err(status) => (status.code() as i32).to_string(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let body: Vec<u8> = (0..args[2].len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&args[2][at..at + 2], 16).unwrap())
        .collect();
    let body = Bytes::from(body);
    let secure = args.len() > 3;
    let scheme = if secure { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://127.0.0.1:{}", args[1])).unwrap();
    if secure {
        let ca = Certificate::from_pem(std::fs::read(&args[3]).unwrap());
        let tls = ClientTlsConfig::new().ca_certificate(ca).domain_name("localhost");
        endpoint = endpoint.tls_config(tls).unwrap();
    }
    let channel = endpoint.connect().await.unwrap();
    let mut seen = vec![
        call(&channel, EXPORT, body.clone(), false).await,
        call(&channel, EXPORT, body.clone(), true).await,
        call(&channel, EXPORT, Bytes::from(body.repeat(20000)), false).await,
        call(&channel, EXPORT, Bytes::from_static(b"not protobuf"), false).await,
        call(&channel, EXPORT, Bytes::from(vec![0; 5 << 20]), false).await,
        call(&channel, "/no.Such/Method", body.clone(), false).await,
    ];
    let calls: Vec<_> = (0..300)
        .map(|_| {
            let (channel, body) = (channel.clone(), body.clone());
            tokio::spawn(async move { call(&channel, EXPORT, body, false).await })
        })
        .collect();
    let mut whole = 0;
    for made in calls {
        if made.await.unwrap() == "\"0a00\"" {
            whole += 1;
        }
    }
    seen.push(whole.to_string());
    println!("[{}]", seen.join(","));
}
