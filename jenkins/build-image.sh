# Builds an app's image and pushes it to the local registry; leaves its digest in images/<app>.digest.
set -eu
app=$1
mkdir -p images
if [ -n "${KIND_E2E_DATA_DIR:-}" ]; then
  node "$KIND_E2E_ROOT/packages/cli/bin/kind-e2e.mjs" build "apps/$app" --tag "$TAG" --data-dir "$KIND_E2E_DATA_DIR" >"images/$app.reference"
  cat "images/$app.reference"
  sed 's/.*@//' "images/$app.reference" >"images/$app.digest"
else
  registry=${REGISTRY:-localhost:5001}
  docker build --tag "$registry/$app:$TAG" "apps/$app"
  docker push "$registry/$app:$TAG"
  docker image inspect --format '{{index .RepoDigests 0}}' "$registry/$app:$TAG" | sed 's/.*@//' >"images/$app.digest"
fi
