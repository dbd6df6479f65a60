#!/usr/bin/env bash
# Builds every program of tools/go.mod into the cache and says where it is.
source "$(dirname "$0")/lib.sh"

for name in $(cd tools && go list -f '{{.ImportPath}}' tool); do
  printf '%s\n' "$(tool "$(basename "$name")")"
done
