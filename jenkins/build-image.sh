# Builds an app's image and pushes it to the registry; leaves its digest in images/<app>.digest.
#   REGISTRY       the registry as the cluster's nodes name it (localhost:5001)
#   PUSH_REGISTRY  the same registry as this agent reaches it, where that differs: in a pod on kind http://kind-registry:5000.
#                  Where it is given, or no Docker engine answers, the image is built without Docker.
set -eu
app=$1
registry=${REGISTRY:-localhost:5001}
mkdir -p images
if [ -n "${KIND_E2E_DATA_DIR:-}" ]; then
  node "$KIND_E2E_ROOT/packages/cli/bin/kind-e2e.mjs" build "apps/$app" --tag "$TAG" --data-dir "$KIND_E2E_DATA_DIR" >"images/$app.reference"
  cat "images/$app.reference"
  sed 's/.*@//' "images/$app.reference" >"images/$app.digest"
elif [ -z "${PUSH_REGISTRY:-}" ] && docker info >/dev/null 2>&1; then
  docker build --tag "$registry/$app:$TAG" "apps/$app"
  docker push "$registry/$app:$TAG"
  docker image inspect --format '{{index .RepoDigests 0}}' "$registry/$app:$TAG" | sed 's/.*@//' >"images/$app.digest"
else
  node packages/cli/bin/kind-e2e.mjs build "apps/$app" --tag "$TAG" --with-base --sbom --registry "${PUSH_REGISTRY:-$registry}" >"images/$app.reference"
  cat "images/$app.reference"
  sed 's/.*@//' "images/$app.reference" >"images/$app.digest"
fi
