#!/usr/bin/env bash
# Installs what the tests need beyond Go, git and make. Idempotent; quiet when there
# is nothing to do.
set -euo pipefail

# install WHY PACKAGE... installs packages of Debian, or says who has to.
install() {
	local why="$1"
	shift
	if ! command -v apt-get >/dev/null; then
		echo "The tests need $why. Install it and try again; on Debian it is in: $*" >&2
		exit 1
	fi
	if [ "$(id -u)" -ne 0 ]; then
		echo "The tests need $why. Install it with: sudo apt-get install --no-install-recommends $*" >&2
		exit 1
	fi
	printf '\n=== %s ===\n' "Installing $*: the tests need $why"
	export DEBIAN_FRONTEND=noninteractive
	if [ -z "${updated:-}" ]; then
		apt-get update -qq </dev/null
		updated=yes
	fi
	# A service that comes with a package is not to start: the tests start their own.
	RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

# The race detector links with the C compiler.
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

if ! compiles; then
	install "a C compiler, for the race detector" gcc libc6-dev
	if ! compiles; then
		echo "The C compiler is installed and still cannot compile; see: $(go env CC) --version" >&2
		exit 1
	fi
fi

if ! command -v keystone-wsgi-public >/dev/null || ! command -v keystone-manage >/dev/null; then
	install "OpenStack Keystone, whose tokens Coffer accepts" keystone
fi
