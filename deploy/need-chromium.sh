#!/bin/sh
# Sees that a Chromium is here for the browser tests; as root on Debian or Ubuntu it installs one.
set -eu

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "browser tests: Chromium is needed; install it (as root: apt-get install chromium)" >&2
    exit 1
fi
echo "browser tests: installing chromium"
apt-get -q update >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends chromium >/dev/null
