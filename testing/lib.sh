# Shared by the scripts of this folder; source it. They all start in the project's folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*" >&2; }

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# cache_dir prints the folder for what is built once: $CHALKCAST_CACHE, or the user's cache.
cache_dir() { printf '%s' "${CHALKCAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/chalkcast}"; }

# tool NAME prints the path of a program pinned in tools/go.mod, and builds it first when it is not cached.
tool() {
  local stamp dir
  stamp=$( (go version && cat tools/go.mod) | sha256sum | cut -c1-12)
  dir=$(cache_dir)/tools-$stamp
  if [ ! -x "$dir/$1" ]; then
    say "building $1 once (minutes for the larger ones); it is kept in $dir"
    mkdir -p "$dir"
    (cd tools && go build -o "$dir/$1.$$" "$(go list -f '{{.ImportPath}}' tool | grep "/$1\$")")
    mv "$dir/$1.$$" "$dir/$1"
  fi
  printf '%s' "$dir/$1"
}

# free_port prints a TCP port below the ephemeral range on which nobody listens.
free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      printf '%s' "$port"
      return
    fi
  done
  fail "found no free port between 20000 and 32000"
}
