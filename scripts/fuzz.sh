#!/usr/bin/env bash
# Fuzzes every target of the given packages for FUZZTIME each, one after the other.
# A target that fails does not keep the rest from running; the exit code tells.
set -euo pipefail

fuzztime="${FUZZTIME:-60s}"
failed=()
found=0
while read -r package dir; do
	grep -qs '^func Fuzz' "$dir"/*_test.go || continue
	while read -r target; do
		found=$((found + 1))
		printf '\n=== %s %s, %s ===\n' "$package" "$target" "$fuzztime"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "$package" || failed+=("$package $target")
	done < <(go test -list '^Fuzz' "$package" | grep '^Fuzz')
done < <(go list -f '{{.ImportPath}} {{.Dir}}' "$@")

printf '\n=== %d targets, %d failed ===\n' "$found" "${#failed[@]}"
if [ "$found" -eq 0 ]; then
	echo "no fuzz target found" >&2
	exit 1
fi
if [ "${#failed[@]}" -gt 0 ]; then
	printf 'failed: %s\n' "${failed[@]}" >&2
	exit 1
fi
