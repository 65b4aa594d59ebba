# Builds one of Jaeger's programs with its own go.mod and go.sum: it cannot be built as a dependency (its go.mod replaces
# modules). sh build.sh ./cmd/all-in-one OUT (v1), ./cmd/jaeger (v2). Six minutes for the first of them, and 3 GB of memory.
set -e
VERSION=v1.76.0
folder=$(go mod download -json "github.com/jaegertracing/jaeger@$VERSION" | sed -n 's/^\t"Dir": "\(.*\)",/\1/p')
cd "$folder"
GOFLAGS=-buildvcs=false CGO_ENABLED=0 go build -ldflags='-s -w' -o "$2" "$1"
