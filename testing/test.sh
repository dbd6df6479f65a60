#!/usr/bin/env bash
# Runs every test there is: Go with the race detector, and the page scripts under Node. testing/services.sh starts it.
# A skipped test fails the run: on this machine everything a test may need was installed before.
source "$(dirname "$0")/lib.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT

say "go test -race"
# -v so that a skipped test can be seen; what passes is left out of what is shown.
go test -race -tags nomsgpack -timeout 10m -v ./... 2>&1 | tee "$log" | grep -vE '^ *(=== |--- PASS)|^PASS$' || true
! grep -qE '^(--- FAIL|FAIL|panic:)' "$log" || fail "tests fail"
if grep -E '^ *--- SKIP' "$log"; then
  fail "tests were skipped"
fi
passed=$(grep -cE '^ *--- PASS' "$log")

say "npm test in jstest"
npm test --silent --prefix jstest

say "Go tests and subtests"
printf '%s passed, 0 failed\n' "$passed"
