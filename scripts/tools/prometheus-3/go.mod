// Built by scripts/tools.mjs. `go install PACKAGE@VERSION` would need no file of ours, but it asks the origin
// for a deprecation notice, which fails behind some module proxies, and go.sum pins every checksum here.
module plimsoll.dev/tools/prometheus-3

go 1.26.0

require github.com/prometheus/prometheus v0.315.0
