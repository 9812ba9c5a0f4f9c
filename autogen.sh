#!/bin/sh
# Makes configure. Only needed from a git checkout; a release tarball has it.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force
