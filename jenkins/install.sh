# Dependencies: those of the checkout that the lab runs from, where its lock file is the same; else from the registry.
set -eu
rm -rf reports images
if [ -n "${KIND_E2E_ROOT:-}" ] && cmp -s package-lock.json "$KIND_E2E_ROOT/package-lock.json"; then
  # A folder of its own: some programs write beside their packages, and the checkout is read-only here.
  rm -rf node_modules
  mkdir node_modules
  ln -s "$KIND_E2E_ROOT"/node_modules/* "$KIND_E2E_ROOT/node_modules/.bin" node_modules/
  exit 0
fi
npm ci --ignore-scripts --no-audit --no-fund
