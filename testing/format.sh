#!/usr/bin/env bash
# Fails when a Go file is not as gofumpt writes it, and names the file.
source "$(dirname "$0")/lib.sh"

files=$(git ls-files '*.go')
# shellcheck disable=SC2086 # our file names have no spaces
unclean=$("$(tool gofumpt)" -l $files)
[ -z "$unclean" ] || fail "not formatted; run gofumpt -w on:"$'\n'"$unclean"
