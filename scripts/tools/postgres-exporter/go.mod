// Built by scripts/tools.mjs. `go install PACKAGE@VERSION` would need no file of ours, but it asks the origin
// for a deprecation notice, which fails behind some module proxies, and go.sum pins every checksum here.
module plimsoll.dev/tools/postgres-exporter

go 1.25.0

require github.com/prometheus-community/postgres_exporter v0.17.1
