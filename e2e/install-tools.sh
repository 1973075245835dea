#!/bin/sh
# Installs what the tests need on Debian or Ubuntu: Chromium, Node with npm, a font with Vietnamese, certutil for a CA that
# Chromium trusts, sqlite3 to look into databases, curl and jq for the examples of the documents, PostgreSQL, Python with pytest
# for the client in clients/python, the npm packages pinned in browser/package-lock.json and ../clients/node/package-lock.json,
# and the relying parties of interop/: npm and PyPI packages, Maven's, oauth2-proxy, Apache's module. Without Maven and a JDK,
# Maven's are left out, and that is said.
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
# Not apache2 itself, which would start a server.
if [ ! -e /usr/lib/apache2/modules/mod_auth_openidc.so ]; then
	missing="$missing apache2-bin libapache2-mod-auth-openidc"
fi
if ! python3 -c 'import ensurepip' >/dev/null 2>&1; then
	missing="$missing python3-venv"
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

# Each of these takes seconds even when nothing changed, so remember for which file it ran.
for folder in browser interop/node ../clients/node; do
	stamp=$folder/node_modules/.installed-for
	if ! cmp -s $folder/package-lock.json "$stamp"; then
		(cd $folder && npm ci --no-audit --no-fund --loglevel=error)
		cp $folder/package-lock.json "$stamp"
	fi
done

built=../build/interop
mkdir -p $built
if ! cmp -s interop/python/requirements.txt $built/python/installed-for; then
	python3 -m venv --clear $built/python
	$built/python/bin/pip install --quiet --disable-pip-version-check --requirement interop/python/requirements.txt
	cp interop/python/requirements.txt $built/python/installed-for
fi
if ! command -v mvn >/dev/null 2>&1 || ! command -v javac >/dev/null 2>&1; then
	echo "install-tools.sh: LEFT OUT: Spring Security, since there is no Maven with a JDK"
elif [ ! -e interop/spring/target/spring.jar ] || [ -n "$(find interop/spring/pom.xml interop/spring/src -newer interop/spring/target/spring.jar)" ]; then
	mvn --quiet --batch-mode --file interop/spring/pom.xml package
fi
oauth2_proxy=v7.15.6
if [ "$(cat $built/oauth2-proxy.version 2>/dev/null)" != $oauth2_proxy ]; then
	GOFLAGS= GOBIN=$(cd $built && pwd) go install github.com/oauth2-proxy/oauth2-proxy/v7@$oauth2_proxy
	echo $oauth2_proxy >$built/oauth2-proxy.version
fi
