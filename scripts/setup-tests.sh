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

command -v python3 >/dev/null || install "Python, which runs the template of a rotation function" python3
/usr/bin/python3 -c 'import psycopg2' 2>/dev/null || install "Python with a driver for PostgreSQL, for the example of a rotation function" python3 python3-psycopg2

if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
	install "PostgreSQL, whose passwords Coffer changes" postgresql
fi
if ! command -v mariadbd >/dev/null || ! command -v mariadb-install-db >/dev/null; then
	install "MariaDB, whose passwords Coffer changes" mariadb-server
fi

# MySQL is in the unstable branch of Debian only, with libraries that are newer than
# those of the machine. So it is unpacked beside the sources with its own libraries, and
# installed nowhere. The lists of the machine's packages stay as they are.
mysql="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.tools/mysql"

# debian prints the address of the archive that the machine uses.
debian() {
	apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' | awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
}

# download_mysql FOLDER fetches the package and all that it stands on.
download_mysql() {
	local archive
	archive="$(debian)"
	if [ -z "$archive" ]; then # nothing is known of an archive before its first update
		apt-get update -qq </dev/null || return 1
		archive="$(debian)"
	fi
	[ -n "$archive" ] || return 1
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
	: >"$1/status"
	echo "deb $archive sid main" >"$1/sources"
	local apt=(apt-get -qq -o Dir::Etc::SourceList="$1/sources" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$1/lists"
		-o Dir::Cache="$1/cache" -o Dir::State::Status="$1/status" -o APT::Sandbox::User=root -o Debug::NoLocking=1)
	"${apt[@]}" update </dev/null &&
		"${apt[@]}" install -y --download-only --no-install-recommends mysql-server-core </dev/null >/dev/null
}

# unpack_mysql FOLDER unpacks what is in it, and writes a program that starts MySQL with
# its own libraries.
unpack_mysql() {
	local package
	mkdir -p "$mysql"
	for package in "$1"/*.deb; do
		dpkg -x "$package" "$mysql" || return 1
	done
	cat >"$mysql/start" <<'EOF'
#!/usr/bin/env bash
top="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/usr"
libraries="$(echo "$top"/lib/*-linux-gnu)"
exec "$libraries"/ld-linux-*.so.* --library-path "$libraries" "$top/sbin/mysqld" "$@" \
	--basedir="$top" --lc-messages-dir="$top/share/mysql" --plugin-dir="$top/lib/mysql/plugin"
EOF
	chmod +x "$mysql/start"
	"$mysql/start" --version >/dev/null && mv "$mysql/start" "$mysql/mysqld"
}

# Debian's unstable branch can be out of reach, or its libraries too new for the kernel.
# Then the tests of MySQL are skipped and say so; MariaDB is tested in any case.
if [ ! -x "$mysql/mysqld" ]; then
	printf '\n=== %s ===\n' "Unpacking MySQL: the tests change its passwords"
	packages="$(mktemp -d)"
	if ! command -v apt-get >/dev/null || ! download_mysql "$packages" || ! unpack_mysql "$packages/cache/archives"; then
		rm -rf "$mysql"
		mkdir -p "$mysql"
		echo "it could not be fetched by scripts/setup-tests.sh; make .tools/mysql/mysqld a program that starts MySQL 8.0.14 or later" |
			tee "$mysql/unavailable" >&2
	else
		rm -f "$mysql/unavailable"
	fi
	rm -rf "$packages"
fi

# A daemon lives in sbin, which is not in the PATH of every user.
if ! PATH="$PATH:/usr/sbin" command -v nats-server >/dev/null; then
	install "a NATS server, that notifications are sent to" nats-server
fi

# The official SDKs in other languages, each in a folder that git does not see. A stamp
# holds what was asked for, so that nothing is fetched twice.
e2e="$(cd "$(dirname "${BASH_SOURCE[0]}")/../e2e" && pwd)"

fresh() { [ -f "$2" ] && cmp -s "$1" "$2"; }

if ! fresh "$e2e/python/requirements.txt" "$e2e/python/.venv/stamp"; then
	python3 -c 'import venv, ensurepip' 2>/dev/null || install "Python with venv, for its SDK" python3 python3-venv
	printf '\n=== %s ===\n' "Fetching the SDK for Python"
	rm -rf "$e2e/python/.venv"
	python3 -m venv "$e2e/python/.venv"
	"$e2e/python/.venv/bin/pip" install -q --disable-pip-version-check -r "$e2e/python/requirements.txt"
	cp "$e2e/python/requirements.txt" "$e2e/python/.venv/stamp"
fi

sources="$(mktemp)"
trap 'rm -f "$sources"' EXIT
cat "$e2e/java/pom.xml" "$e2e"/java/src/main/java/com/huaweicloud/sdk/test/*.java >"$sources"
if ! fresh "$sources" "$e2e/java/target/stamp"; then
	if ! command -v mvn >/dev/null || ! command -v javac >/dev/null || ! command -v keytool >/dev/null; then
		install "a JDK and Maven, for the SDK for Java" default-jdk-headless maven
	fi
	printf '\n=== %s ===\n' "Fetching the SDK for Java, and compiling its programs"
	mvn -q -B -f "$e2e/java/pom.xml" clean compile </dev/null
	cp "$sources" "$e2e/java/target/stamp"
fi

if ! fresh "$e2e/node/package-lock.json" "$e2e/node/node_modules/stamp"; then
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		install "Node, for its SDK" nodejs npm
	fi
	printf '\n=== %s ===\n' "Fetching the SDK for Node"
	(cd "$e2e/node" && npm ci --silent --no-audit --no-fund </dev/null)
	cp "$e2e/node/package-lock.json" "$e2e/node/node_modules/stamp"
fi
