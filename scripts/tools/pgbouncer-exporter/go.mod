// Built by scripts/tools.mjs. `go install PACKAGE@VERSION` would need no file of ours, but it asks the origin
// for a deprecation notice, which fails behind some module proxies, and go.sum pins every checksum here.
module plimsoll.dev/tools/pgbouncer-exporter

go 1.25.0

require github.com/prometheus-community/pgbouncer_exporter v0.12.1
