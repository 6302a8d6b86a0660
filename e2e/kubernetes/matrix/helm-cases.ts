import type { MatrixCase } from './kubectl-cases.ts';

/** `since` and `until` are versions of kubectl here as well: 20 comes with helm 3.8, 35 with helm 4.1. */
export const HELM_CASES: readonly MatrixCase[] = [
  { area: 'helm lint', run: 'helm lint $M/chart', prints: /1 chart\(s\) linted, 0 chart\(s\) failed/ },
  { area: 'helm version', run: 'helm version --short', prints: /^v[34]\./ },
  { area: 'helm template', run: 'helm template rel $M/chart --validate', prints: /kind: Deployment/, until: 34 },
  { area: 'helm dry run', run: 'helm install rel $M/chart --dry-run', prints: /STATUS: pending-install/, until: 34 },
  {
    area: 'helm dry run',
    run: 'helm install rel $M/chart --dry-run=server',
    prints: /STATUS: pending-install[\s\S]*looked-up: default/,
    since: 32,
  },
  {
    area: 'helm install',
    run: 'helm install rel $M/chart --wait --timeout 60s',
    prints: /STATUS: deployed\nREVISION: 1/,
  },
  {
    area: 'helm install',
    run: 'kubectl get cm rel -o jsonpath={.data.hpa}{.data.kube}{.data.looked-up}; kubectl get deploy rel -o jsonpath={.metadata.labels}',
    prints: /truev1\.36[\s\S]*default.*"?app.kubernetes.io\/managed-by"?:"?Helm/,
  },
  {
    area: 'helm hooks',
    run: 'kubectl get events -o custom-columns=R:.reason,N:.involvedObject.name | sort; kubectl get jobs',
    prints: /Completed +rel-post-install[\s\S]*Completed +rel-pre-install[\s\S]*No resources found/,
  },
  {
    area: 'helm install',
    run: 'helm install rel $M/chart',
    exit: 1,
    prints: /cannot re-?use a name that is still in use/,
  },
  {
    area: 'helm upgrade',
    run: 'helm upgrade --install rel $M/chart --set replicas=2 --wait --timeout 60s',
    prints: /STATUS: deployed\nREVISION: 2/,
  },
  {
    area: 'helm upgrade',
    run: 'helm upgrade --install fresh $M/chart --wait --timeout 60s -n $NS-helm --create-namespace',
    prints: /Release "fresh" does not exist. Installing it now.[\s\S]*STATUS: deployed/,
  },
  {
    area: 'helm upgrade',
    run: 'helm upgrade rel $M/chart --set image=pause:2 --wait --timeout 60s && kubectl get pods -l app=rel -o jsonpath={..image}',
    prints: /pause:2/,
  },
  {
    area: 'helm history',
    run: 'helm history rel',
    prints: /1\s.*superseded[\s\S]*2\s.*superseded[\s\S]*3\s.*deployed/,
  },
  {
    area: 'helm list',
    run: 'helm list; helm status rel; helm get manifest rel; helm get values rel',
    prints: /rel\s+\S+\s+3[\s\S]*STATUS: deployed[\s\S]*kind: Deployment[\s\S]*image: "?pause:2/,
  },
  {
    area: 'helm get',
    run: 'helm get notes rel; helm get hooks rel; helm get values rel --all; helm get values rel --revision 2 -o json; helm get all rel | head -3',
    prints:
      /Release rel has 1 replicas\.[\s\S]*helm.sh\/hook-weight: "?-5[\s\S]*failHook: false[\s\S]*\{"replicas":2\}[\s\S]*NAME: rel/,
  },
  {
    area: 'helm list',
    run: 'helm list -A --filter "^rel$" -n $NS -o json; helm list -A --failed --filter "^rel$"; helm history rel -o json --max 1',
    prints: /"name":"rel"[\s\S]*NAME\s+NAMESPACE\s+REVISION[\s\S]*"revision":3/,
  },
  {
    area: 'helm upgrade',
    run: 'helm upgrade rel $M/chart --reuse-values --set replicas=2 --wait --timeout 60s >/dev/null && kubectl get deploy rel -o jsonpath={.spec.replicas}{.spec.template.spec.containers[0].image}; helm upgrade rel $M/chart --set replicas=1,image=pause:2 --wait --timeout 60s >/dev/null; helm status rel -o json | head -c 400',
    prints: /2pause:2[\s\S]*"(name|info)"/,
  },
  {
    area: 'helm oci',
    run: 'mkdir -p $DIR/pulled; helm package $M/chart -d $DIR && helm push $DIR/chart-0.1.0.tgz oci://$REGISTRY/charts-$NS $PLAIN && helm pull oci://$REGISTRY/charts-$NS/chart --version 0.1.0 -d $DIR/pulled $PLAIN && cmp $DIR/chart-0.1.0.tgz $DIR/pulled/chart-0.1.0.tgz && echo same',
    prints: /Pushed: \S+\/chart:0\.1\.0[\s\S]*Digest: sha256:[\s\S]*^same$/m,
  },
  {
    area: 'helm oci',
    run: 'helm install fromoci oci://$REGISTRY/charts-$NS/chart --version 0.1.0 --wait --timeout 60s $PLAIN && helm show chart oci://$REGISTRY/charts-$NS/chart --version 0.1.0 $PLAIN && helm uninstall fromoci',
    prints: /STATUS: deployed[\s\S]*name: chart\n[\s\S]*release "fromoci" uninstalled/,
  },
  {
    area: 'helm test',
    run: 'helm test rel --timeout 60s && kubectl logs job/rel-test',
    prints: /TEST SUITE: +rel-test[\s\S]*Phase: +Succeeded[\s\S]*hook test weighted/,
  },
  {
    area: 'helm rollback',
    run: 'helm rollback rel 1 --wait --timeout 60s && kubectl get deploy rel -o jsonpath={.spec.replicas}{.spec.template.spec.containers[0].image}',
    prints: /Rollback was a success[\s\S]*1pause:1/,
  },
  {
    area: 'helm failed upgrade',
    run: 'helm upgrade rel $M/chart --set failHook=true --timeout 30s',
    exit: 1,
    prints: /UPGRADE FAILED: pre-upgrade hooks failed: [\s\S]*(BackoffLimitExceeded|failed)/,
  },
  {
    area: 'helm failed upgrade',
    run: 'helm upgrade rel $M/chart --set replicas=many',
    exit: 1,
    prints: /UPGRADE FAILED/,
  },
  {
    area: 'helm failed upgrade',
    run: 'helm upgrade rel $M/chart --set image=localhost:1/absent:1 --wait --timeout 4s',
    exit: 1,
    prints: /UPGRADE FAILED: .*(timed out waiting for the condition|context deadline exceeded|not ready)/,
  },
  {
    area: 'helm rollback on failure',
    run: 'helm upgrade rel $M/chart --set image=localhost:1/absent:1 --rollback-on-failure --timeout 4s; kubectl rollout status deploy/rel --timeout=60s; kubectl get deploy rel -o jsonpath={.spec.template.spec.containers[0].image}',
    prints: /UPGRADE FAILED[\s\S]*pause:1|UPGRADE FAILED[\s\S]*pause:2/,
    since: 35,
  },
  {
    area: 'helm rollback on failure',
    run: 'helm upgrade rel $M/chart --set image=localhost:1/absent:1 --atomic --timeout 4s; kubectl rollout status deploy/rel --timeout=60s; helm history rel',
    prints: /has been rolled back due to atomic being set[\s\S]*Rollback to/,
    until: 34,
  },
  {
    area: 'helm uninstall',
    run: 'helm uninstall rel --wait --timeout 60s && kubectl get deploy,svc,cm,secrets -l app.kubernetes.io/managed-by=Helm',
    prints: /release "rel" uninstalled\nNo resources found/,
  },
  { area: 'helm uninstall', run: 'helm uninstall rel', exit: 1, prints: /release: not found/ },
  {
    area: 'helm uninstall',
    run: 'helm uninstall fresh -n $NS-helm --keep-history && helm history fresh -n $NS-helm; kubectl delete ns $NS-helm $NS --timeout=60s',
    prints: /uninstalled/,
  },
];
