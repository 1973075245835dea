#!/bin/sh
# Installs what the tests need on Debian or Ubuntu: Chromium, Node with npm, a font with Vietnamese, certutil for a CA that
# Chromium trusts, sqlite3 to look into databases, curl and jq for the examples of the
# documents, PostgreSQL, Python with pytest for the client in clients/python, and the
# npm packages pinned in browser/package-lock.json and ../clients/node/package-lock.json.
# Does nothing, quickly, when all of it is there.
set -eu
cd "$(dirname "$0")"

missing=
command -v "${CHROMIUM:-/usr/bin/chromium}" >/dev/null 2>&1 || missing="$missing chromium"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
command -v certutil >/dev/null 2>&1 || missing="$missing libnss3-tools"
command -v sqlite3 >/dev/null 2>&1 || missing="$missing sqlite3"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
command -v jq >/dev/null 2>&1 || missing="$missing jq"
# Not in the PATH where Debian puts it; storage/storagetest/pgtest looks in both places.
if ! command -v postgres >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
	missing="$missing postgresql"
fi
# A Python of its own may come before Debian's in the PATH; clients_test.go looks at both.
if ! python3 -c 'import pytest' >/dev/null 2>&1 && ! /usr/bin/python3 -c 'import pytest' >/dev/null 2>&1; then
	missing="$missing python3 python3-pytest"
fi
# Any of these has every Vietnamese letter; without one the screenshots show boxes.
if [ ! -e /usr/share/fonts/truetype/noto/NotoSans-Regular.ttf ] && [ ! -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ]; then
	missing="$missing fonts-noto-core"
fi

if [ -n "$missing" ]; then
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "install-tools.sh: missing:$missing. This script knows apt-get only; please install them your own way." >&2
		exit 1
	fi
	if [ "$(id -u)" = 0 ]; then
		root=
	elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
		root="sudo -n"
	else
		echo "install-tools.sh: missing:$missing. As root, run: apt-get install --no-install-recommends$missing" >&2
		exit 1
	fi
	echo "install-tools.sh: installing$missing"
	$root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
	# shellcheck disable=SC2086 # a list of package names
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

# npm ci takes seconds even when nothing changed, so remember for which lock file it ran.
for dir in browser ../clients/node; do
	stamp=$dir/node_modules/.installed-for
	if ! cmp -s "$dir/package-lock.json" "$stamp"; then
		(cd "$dir" && npm ci --no-audit --no-fund --loglevel=error)
		cp "$dir/package-lock.json" "$stamp"
	fi
done
