#!/usr/bin/env bash
# Build sdist and wheel, try the wheel in a venv of its own, and tag the commit. `make release` calls it.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3} venv=.venv/bin/python

if [ -n "$(git status --porcelain)" ]; then
  echo "release: there are uncommitted changes; commit or stash them first" >&2
  exit 1
fi
version=$($venv -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')
if ! grep -q "^## \[$version\] - 20" CHANGELOG.md; then
  echo "release: CHANGELOG.md has no dated section [$version]" >&2
  exit 1
fi
if git rev-parse -q --verify "refs/tags/v$version" >/dev/null; then
  echo "release: v$version is tagged already; raise the version in pyproject.toml" >&2
  exit 1
fi

rm -rf dist
$venv -m pip install -q ${PIP_ARGS:-} build
$venv -m build

# Nothing of the checkout may be needed: another folder, another venv, no constraints.
alone=$(mktemp -d)
trap 'rm -rf "$alone"' EXIT
"$python" -m venv "$alone/venv"
# shellcheck disable=SC2086
"$alone/venv/bin/python" -m pip install -q ${PIP_ARGS:-} "dist/uncheck-$version-py3-none-any.whl"
(
  cd "$alone"
  test "$(venv/bin/uncheck --version)" = "uncheck $version"
  venv/bin/uncheck overlap 4 2
  venv/bin/uncheck demo >/dev/null
  if venv/bin/python -c 'import importlib.metadata as m; print(m.metadata("uncheck")["Description"])' |
    grep -nE '\]\([^h]'; then
    echo "release: the description for PyPI has relative links" >&2
    exit 1
  fi
)

git tag -a "v$version" -m "uncheck $version"
echo "dist/ is ready and v$version is tagged. To publish: git push origin v$version, and $venv -m twine upload dist/*"
