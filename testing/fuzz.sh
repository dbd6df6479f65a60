#!/usr/bin/env bash
# Runs each fuzz target for $FUZZTIME, one after another: they share the machine badly.
source "$(dirname "$0")/lib.sh"

git grep -hoE '^func (Fuzz[A-Za-z0-9_]+)' -- '*_test.go' >/dev/null || fail "there are no fuzz targets"
git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | while IFS=: read -r file func; do
  say "${func#func } in $(dirname "$file") for ${FUZZTIME:-10s}"
  go test -tags "${TAGS:-nomsgpack}" -run '^$' -fuzz "^${func#func }\$" -fuzztime "${FUZZTIME:-10s}" "./$(dirname "$file")"
done
