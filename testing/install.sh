#!/usr/bin/env bash
# Installs what the tests need and this machine lacks, and says what it installs. Debian and its children only;
# elsewhere it names what is missing.
source "$(dirname "$0")/lib.sh"

# needs COMMAND PACKAGES: without the command, the packages are wanted.
wanted=()
needs() {
  local command=$1
  shift
  command -v "$command" >/dev/null || compgen -G "$command" >/dev/null || wanted+=("$@")
}
needs gcc gcc libc6-dev # the race detector links with it
needs ffmpeg ffmpeg
needs chromium chromium
needs firefox-esr firefox-esr
needs '/usr/sbin/nginx' nginx-light
needs gst-launch-1.0 gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
needs '/usr/lib/*/gstreamer-1.0/libgstrtspclientsink.so' gstreamer1.0-rtsp
needs '/usr/lib/postgresql/*/bin/initdb' postgresql
needs '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf' fonts-dejavu-core
needs '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc' fonts-noto-cjk
needs node nodejs
needs npm npm
needs soffice libreoffice-calc # opens the exports as schools do

if [ ${#wanted[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || fail "the tests need these Debian packages or their likes: ${wanted[*]}"
  say "installing with apt-get: ${wanted[*]}"
  root=()
  [ "$(id -u)" = 0 ] || root=(sudo)
  "${root[@]}" apt-get update -q
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${wanted[@]}"
fi

# npm notes what it installed; a lock file that is newer wants it done again.
if [ ! jstest/node_modules/.package-lock.json -nt jstest/package-lock.json ]; then
  say "installing the Node modules of jstest/package-lock.json"
  npm ci --prefix jstest --no-audit --no-fund
fi

tool versitygw >/dev/null
