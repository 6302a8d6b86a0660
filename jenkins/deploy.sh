# Upgrades the release to the images just built; Helm rolls back by itself when they do not become ready.
set -eu
exec helm upgrade --install "$RELEASE" helm/app \
  --namespace "$RELEASE_NAMESPACE" \
  --reset-then-reuse-values \
  --set "global.image.registry=${REGISTRY:-localhost:5001}" \
  --set "front-end.image.digest=$(cat images/front-end.digest)" \
  --set "business-logic.image.digest=$(cat images/business-logic.digest)" \
  --rollback-on-failure --wait --timeout 3m
