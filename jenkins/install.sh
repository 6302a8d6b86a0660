# Dependencies: those of the checkout that the lab runs from, where its lock file is the same; else from the registry.
set -eu
rm -rf reports images
if [ -n "${KIND_E2E_ROOT:-}" ] && cmp -s package-lock.json "$KIND_E2E_ROOT/package-lock.json"; then
  [ -e node_modules ] || ln -s "$KIND_E2E_ROOT/node_modules" node_modules
  exit 0
fi
if [ -L node_modules ]; then rm node_modules; fi
npm ci --ignore-scripts --no-audit --no-fund
