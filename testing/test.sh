#!/usr/bin/env bash
# Runs every test there is: Go with the race detector, and the page scripts under Node. testing/services.sh starts it.
# A skipped test fails the run: on this machine everything a test may need was installed before.
source "$(dirname "$0")/lib.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# quiet shows a line for each package, and all but the passed tests of one that fails. The log has the rest.
quiet() {
  awk '
    { lines[n++] = $0 }
    /^(ok|\?) / || /^ok\t/ { print; n = 0; fflush() }
    /^FAIL\t/ {
      for (i = 0; i < n; i++) if (lines[i] !~ /^ *(=== |--- PASS)|^PASS$/) print lines[i]
      n = 0; fflush()
    }
    END { for (i = 0; i < n; i++) if (lines[i] !~ /^ *(=== |--- PASS)|^PASS$/) print lines[i] }'
}

say "go test -race"
# -v for the log, in which a skipped test can be seen.
failed=
go test -race -tags nomsgpack -timeout 30m -v ./... 2>&1 | tee "$log" | quiet || failed=yes
[ -z "$failed" ] || fail "tests fail"
if grep -E '^ *--- SKIP' "$log"; then
  fail "tests were skipped"
fi
passed=$(grep -cE '^ *--- PASS' "$log")

say "npm test in jstest"
npm test --silent --prefix jstest

say "Go tests and subtests"
printf '%s passed, 0 failed\n' "$passed"
