// Built by scripts/tools.mjs. `go install PACKAGE@VERSION` would need no file of ours, but it asks the origin
// for a deprecation notice, which fails behind some module proxies, and go.sum pins every checksum here.
module plimsoll.dev/tools/k6-2-1

go 1.25.0

require go.k6.io/k6/v2 v2.1.0
