# Upgrades the release to the images just built; Helm rolls back by itself when they do not become ready.
set -eu
# Helm 4 has another name for it; Helm 3 must be 3.14 or newer for --reset-then-reuse-values.
case $(helm version --short) in
  v3.*) rollback=--atomic ;;
  *) rollback=--rollback-on-failure ;;
esac
exec helm upgrade --install "$RELEASE" helm/app \
  --namespace "$RELEASE_NAMESPACE" \
  --reset-then-reuse-values \
  --set "global.image.registry=${REGISTRY:-localhost:5001}" \
  --set "front-end.image.digest=$(cat images/front-end.digest)" \
  --set "business-logic.image.digest=$(cat images/business-logic.digest)" \
  "$rollback" --wait --timeout 3m
