# Builds Prometheus 3 with its own go.mod and go.sum (of which it replaces a module, so it cannot be installed by its name), without
# what finds targets in clouds. sh build.sh OUT. Five minutes, and 3 GB of memory. Its pages are not in the module; its API is.
set -e
VERSION=v0.315.0
folder=$(go mod download -json "github.com/prometheus/prometheus@$VERSION" | sed -n 's/^\t"Dir": "\(.*\)",/\1/p')
cd "$folder"
GOWORK=off GOFLAGS=-buildvcs=false CGO_ENABLED=0 go build -tags remove_all_sd -ldflags='-s -w' -o "$1" ./cmd/prometheus
