#!/usr/bin/env bash
# Installs what the tests need beyond Go, git and make. Idempotent; quiet when there
# is nothing to do. The race detector links with the C compiler, and that is all.
set -euo pipefail

compiles() {
	local cc dir
	cc="$(go env CC)"
	command -v "${cc%% *}" >/dev/null || return 1
	dir="$(mktemp -d)"
	printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' >"$dir/probe.c"
	local ok=0
	$cc -o "$dir/probe" "$dir/probe.c" 2>/dev/null || ok=1
	rm -rf "$dir"
	return "$ok"
}

if compiles; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "The tests need a C compiler and the C library headers (gcc, libc6-dev), for the race detector. Install them and try again." >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "The tests need a C compiler, for the race detector. Install it with: sudo apt-get install gcc libc6-dev" >&2
	exit 1
fi

printf '\n=== %s ===\n' "Installing gcc and libc6-dev, for the race detector"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq </dev/null
apt-get install -y -qq --no-install-recommends gcc libc6-dev </dev/null
if ! compiles; then
	echo "The C compiler is installed and still cannot compile; see: $(go env CC) --version" >&2
	exit 1
fi
