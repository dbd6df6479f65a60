#!/usr/bin/env bash
# Runs golangci-lint in the version of tools/go.mod.
source "$(dirname "$0")/lib.sh"

"$(tool golangci-lint)" run ./...
