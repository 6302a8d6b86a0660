import type { MatrixCase } from './kubectl-cases.ts';

/** Waits until `port-forward` or `proxy`, whose output goes to a file, has said its port, and puts it into `$P`. */
const portFrom = (file: string): string =>
  `for i in $(seq 100); do P=$(sed -n "s/.*127.0.0.1:\\([0-9]*\\).*/\\1/p" $DIR/${file} | head -1); [ -n "$P" ] && break; sleep 0.1; done`;

/** What `KUBECTL_CASES` leaves out: the other kinds, flags and refusals. Long because it is a table of data. */
export const BREADTH_CASES: readonly MatrixCase[] = [
  {
    area: 'apply',
    run: 'kubectl apply -f $M/server.yaml -f $M/kinds.yaml -f $M/pinned.yaml',
    prints: /pod\/burst created/,
  },
  {
    area: 'config',
    run: 'kubectl config current-context; kubectl config view --minify',
    prints: /kind-e2e[\s\S]*REDACTED/,
  },
  {
    area: 'api-resources',
    run: 'kubectl api-resources --api-group=apps --verbs=patch --no-headers -o name | sort',
    prints: /^controllerrevisions.apps\ndaemonsets.apps\ndeployments.apps\nreplicasets.apps\nstatefulsets.apps$/m,
  },
  {
    area: 'get',
    run: 'kubectl get --raw /version',
    prints: /^\{\n {2}"major": "1",[\s\S]*\n {2}"gitVersion": "v1\.36/,
  },
  { area: 'get', run: 'kubectl get --raw /metrics | head -c 300', prints: /# (HELP|TYPE) / },

  // generators and flags of create, run, autoscale
  {
    area: 'create',
    run: 'kubectl create deployment gen --image=pause:1 --replicas=2 --port=80 --dry-run=client -o yaml',
    prints: /replicas: 2[\s\S]*image: pause:1[\s\S]*containerPort: 80/,
  },
  {
    area: 'create',
    run: 'echo secret > $DIR/s; kubectl create secret generic files --from-file=key=$DIR/s --type=example.org/x && kubectl get secret files -o "go-template={{.type}} {{index .data \\"key\\"}}"',
    prints: /secret\/files created\nexample.org\/x c2VjcmV0Cg==/,
  },
  {
    area: 'create',
    run: 'printf "A=1\\nB=2\\n" > $DIR/env; kubectl create configmap env --from-env-file=$DIR/env && kubectl get cm env -o "jsonpath={.data.A}{.data.B}"',
    prints: /configmap\/env created\n12/,
  },
  {
    area: 'create',
    run: 'kubectl create clusterrole $NS-agg --aggregation-rule="x=y" && kubectl create rolebinding everyone --clusterrole=view --group=devs --user=ann',
    prints: /clusterrole.*created[\s\S]*rolebinding.*created/,
  },
  {
    area: 'create',
    run: 'kubectl create token default --duration=1h --audience=x | cut -d. -f2 | tr _- /+ | base64 -d 2>/dev/null; true',
    prints: /"aud":\["x"\].*"sub":"system:serviceaccount:/,
    since: 24,
  },
  {
    area: 'create',
    run: 'kubectl create namespace kube-system',
    exit: 1,
    prints: /namespaces "kube-system" already exists/,
  },
  {
    area: 'run',
    run: 'kubectl run dry --image=pause:1 --env=A=b --labels=x=y --dry-run=client -o yaml',
    prints: /labels:\n {4}x: "?y"?\n[\s\S]*name: A\n {6}value: b/,
  },
  {
    area: 'run',
    run: 'kubectl run code --image=$IMAGE --restart=Never --attach --rm --quiet --command -- sh -c "sleep 1; exit 7"',
    exit: 7,
  },
  {
    area: 'expose',
    run: 'kubectl expose deployment server --name=np --type=NodePort --port=80 --target-port=http && kubectl get svc np',
    prints: /service\/np exposed[\s\S]*NodePort +127\.\S+ +<none> +80:3\d{4}\/TCP/,
  },
  {
    area: 'autoscale',
    run: 'kubectl autoscale deployment server --cpu=70% --min=1 --max=3 && kubectl get hpa server -o jsonpath={.spec.metrics[0].resource.target.averageUtilization}',
    prints: /autoscaled\n70/,
    since: 34,
  },

  // wait
  {
    area: 'wait',
    run: 'kubectl wait --for=condition=Available deployment/server --timeout=60s',
    prints: /condition met/,
  },
  { area: 'wait', run: 'kubectl wait --for=condition=Ready pod/burst --timeout=60s', prints: /condition met/ },
  {
    area: 'wait',
    run: 'kubectl run gone --image=pause:1 >/dev/null; (sleep 1; kubectl delete pod gone --wait=false) & kubectl wait --for=delete pod/gone --timeout=30s; kubectl get pod gone',
    exit: 1,
    prints: /pods "gone" not found/,
  },
  {
    area: 'wait',
    run: '(sleep 1; kubectl create configmap late >/dev/null) & kubectl wait --for=create configmap/late --timeout=20s; wait',
    prints: /configmap\/late condition met/,
    since: 31,
  },
  {
    area: 'wait',
    run: "kubectl wait --for=jsonpath='{.status.readyReplicas}'=1 deployment/server --timeout=20s",
    prints: /condition met/,
    since: 23,
  },

  // describe: the kinds that are left
  {
    area: 'describe',
    run: 'kubectl describe pvc claim; kubectl describe pv $NS-pv',
    prints:
      /Status: +Bound[\s\S]*Volume: +\S+-pv[\s\S]*Claim: +\S+\/claim[\s\S]*HostPath \(bare host directory volume\)/,
  },
  {
    area: 'describe',
    run: 'kubectl describe limits limits; kubectl describe rc rc; kubectl describe netpol netpol; kubectl describe ingressclass $NS-class; kubectl describe lease lease; kubectl describe clusterrolebinding cluster-admin; kubectl describe apiservice v1.apps',
    prints:
      /PersistentVolumeClaim +storage +- +64Gi[\s\S]*Pods Status: +1 Running[\s\S]*PodSelector: +app=rc[\s\S]*Allowing ingress traffic|PersistentVolumeClaim +storage +- +64Gi[\s\S]*PodSelector: +app=rc[\s\S]*Controller: +example.org\/ingress[\s\S]*Holder Identity: +me[\s\S]*system:masters[\s\S]*Group: +apps/,
  },
  {
    area: 'describe',
    run: 'kubectl describe pod burst',
    prints:
      /Limits:\n +cpu: +500m\n +memory: +64Mi\n +Requests:\n +cpu: +10m\n +memory: +16Mi\n +Liveness: +exec \[true\] delay=1s timeout=1s period=10s #success=1 #failure=3\n +Environment:\n +PLAIN: +a\n +MEM: +67108864 \(limits.memory\)\n +Mounts:\n +\/scratch from scratch \(rw\)[\s\S]*PodReadyToStartContainers +True[\s\S]*EmptyDir[\s\S]*QoS Class: +Burstable[\s\S]*Successfully assigned[\s\S]*already present on machine and can be accessed by the pod[\s\S]*Container created[\s\S]*Container started/,
  },
  {
    area: 'describe',
    run: 'kubectl describe ns $NS; kubectl describe secret files; kubectl describe events | head -20',
    prints: /Resource Limits[\s\S]*key: +7 bytes[\s\S]*Involved Object:/,
  },
  { area: 'describe', run: 'kubectl describe pod nosuch', exit: 1, prints: /pods "nosuch" not found/ },

  // get: formats
  {
    area: 'get',
    run: 'kubectl get pods -l app=server -o jsonpath=\'{range .items[*]}{.metadata.labels.app}{"="}{.status.phase}{"\\n"}{end}\'',
    prints: /^server=Running$/m,
  },
  {
    area: 'get',
    run: 'kubectl get pv,pvc,rc,netpol,ingressclass,lease,limits',
    prints:
      /persistentvolume\/\S+-pv +1Mi +RWO +Retain +Bound[\s\S]*persistentvolumeclaim\/claim +Bound[\s\S]*replicationcontroller\/rc +1 +1[\s\S]*networkpolicy.networking.k8s.io\/netpol +app=rc[\s\S]*example.org\/ingress/,
  },
  { area: 'get', run: 'kubectl get deployment,rs,svc -l app=nobody', prints: /No resources found/ },
  {
    area: 'get',
    run: 'kubectl get deploy server -o wide',
    prints: /CONTAINERS +IMAGES +SELECTOR\nserver +1\/1 +1 +1 +\S+ +main +\S+ +app=server/,
  },
  {
    area: 'get',
    run: 'timeout 3 kubectl get pods --watch-only; kubectl get events --field-selector reason=Scheduled,involvedObject.name=burst',
    prints: /Normal +Scheduled +pod\/burst/,
  },

  // rollout of what does not come up
  {
    area: 'rollout',
    run: 'kubectl patch deployment server -p \'{"spec":{"progressDeadlineSeconds":3}}\' && kubectl set image deployment/server main=localhost:1/absent:1 && kubectl rollout status deployment/server --timeout=30s',
    exit: 1,
    prints: /deployment "server" exceeded its progress deadline/,
  },
  {
    area: 'rollout',
    run: 'kubectl describe deployment server',
    prints: /Progressing +False +ProgressDeadlineExceeded/,
  },
  {
    area: 'rollout',
    run: 'kubectl patch deployment server -p \'{"spec":{"progressDeadlineSeconds":600}}\' && kubectl rollout undo deployment/server && kubectl wait --for=condition=Progressing deployment/server --timeout=30s && kubectl rollout status deployment/server --timeout=30s',
    prints: /rolled back[\s\S]*successfully rolled out/,
  },
  {
    area: 'rollout',
    run: 'kubectl rollout status deployment/server --watch=false; kubectl rollout history deployment',
    prints: /successfully rolled out\ndeployment.apps\/\S+ *\nREVISION/,
  },
  {
    area: 'scale',
    run: 'kubectl scale rc/rc --replicas=2 && kubectl scale --replicas=0 deployment/server deployment/pinned && kubectl scale --replicas=1 deployment/server deployment/pinned',
    prints: /replicationcontroller\/rc scaled\ndeployment.apps\/server scaled/,
  },
  {
    area: 'rollout',
    run: 'kubectl rollout status deployment/server --timeout=30s; kubectl rollout status deployment/pinned --timeout=30s',
    prints: /"pinned" successfully rolled out/,
  },

  // logs
  {
    area: 'logs',
    run: 'kubectl logs deployment/server --since-time=2020-01-01T00:00:00Z --all-containers=true',
    prints: /^listening$/m,
  },
  {
    area: 'logs',
    run: 'kubectl create job lines --image=$IMAGE -- sh -c "sleep 1; echo one; sleep 1; echo two" >/dev/null; for i in $(seq 50); do kubectl get pods -l job-name=lines -o jsonpath={..phase} | grep -q Running && break; sleep 0.1; done; kubectl logs -f job/lines',
    prints: /^one\ntwo$/m,
  },
  { area: 'logs', run: 'kubectl logs burst --tail=-5', exit: 1, prints: /must be greater than or equal to 0|tail/ },

  // terminals
  {
    area: 'exec',
    run: 'script -qec "stty rows 31 cols 97; kubectl exec -it burst -- sh -c \'sleep 1; stty size\'" /dev/null </dev/null',
    prints: /31 97/,
  },
  {
    area: 'exec',
    run: 'script -qec "stty rows 31 cols 97; (sleep 2; stty rows 40 cols 120 </dev/tty) & kubectl exec -it burst -- sh -c \'sleep 4; stty size\'" /dev/null </dev/null',
    prints: /40 120/,
  },
  {
    area: 'attach',
    run: 'kubectl run reader --image=$IMAGE --restart=Never --stdin --attach=false --command -- sh -c "read line; echo got \\$line; sleep 1" >/dev/null; kubectl wait --for=condition=Ready pod/reader --timeout=30s >/dev/null; echo hello | kubectl attach -i reader; kubectl logs reader',
    prints: /got hello/,
  },
  {
    area: 'cp',
    run: 'kubectl exec burst -- sh -c "mkdir /tmp/d && echo y > /tmp/d/f" && kubectl cp burst:/tmp/d $DIR/d && cat $DIR/d/f',
    prints: /y$/m,
  },
  { area: 'cp', run: 'kubectl cp burst:/no/such $DIR/n; ls $DIR/n', exit: 2, prints: /[Nn]o such file/ },
  {
    area: 'port-forward',
    run: `kubectl port-forward deployment/server :8080 > $DIR/pf & ${portFrom('pf')}; curl -s http://127.0.0.1:$P; kill %1`,
    prints: /hi from the server/,
  },
  {
    area: 'port-forward',
    run: `kubectl port-forward service/server :http > $DIR/pf2 & ${portFrom('pf2')}; curl -s http://127.0.0.1:$P; kill %1`,
    prints: /hi from the server/,
  },
  {
    area: 'port-forward',
    run: 'kubectl port-forward service/nosuch 1234:80',
    exit: 1,
    prints: /services "nosuch" not found/,
  },
  {
    area: 'proxy',
    run: `kubectl proxy --port=0 > $DIR/proxy & ${portFrom('proxy')}; curl -s http://127.0.0.1:$P/api/v1/namespaces/$NS/services/server:http/proxy/; kill %1`,
    prints: /hi from the server/,
  },

  // debug
  {
    area: 'debug',
    run: 'kubectl debug burst --image=$IMAGE -- true',
    exit: 1,
    prints:
      /Error from server \(Forbidden\): pods "burst" is forbidden: node \S+ of the embedded engine runs no ephemeral containers[\s\S]*kubectl exec -it burst/,
    since: 25,
  },
  {
    area: 'debug',
    run: 'kubectl debug burst --copy-to=burst-debug --image=$IMAGE -c dbg -- sh -c "echo in the copy; sleep 100" >/dev/null; kubectl wait --for=condition=Ready pod/burst-debug --timeout=30s; kubectl logs burst-debug -c dbg; kubectl delete pod burst-debug --now',
    prints: /in the copy/,
    since: 25,
  },

  // drain, with a budget, a daemon set and scratch space
  {
    area: 'drain',
    run: 'kubectl drain $NODE --pod-selector=app=pinned',
    exit: 1,
    prints: /cannot delete DaemonSet-managed Pods \(use --ignore-daemonsets to ignore\): \S+\/agent-\w+/,
  },
  {
    area: 'drain',
    run: 'kubectl drain $NODE --pod-selector=app=pinned --ignore-daemonsets',
    exit: 1,
    prints: /cannot delete Pods with local storage \(use --delete-(emptydir|local)-data to override\): \S+\/pinned-/,
  },
  {
    area: 'drain',
    run: 'kubectl drain $NODE --pod-selector=app=pinned --ignore-daemonsets --delete-emptydir-data --timeout=4s',
    exit: 1,
    prints:
      /Cannot evict pod as it would violate the pod's disruption budget\.[\s\S]*(global timeout reached: 4s|drain did not complete within)/,
  },
  {
    area: 'drain',
    run: 'kubectl scale deployment pinned --replicas=2 >/dev/null; kubectl patch pdb pinned --type=merge -p \'{"spec":{"minAvailable":0}}\'; for i in $(seq 50); do [ "$(kubectl get pdb pinned -o jsonpath={.status.disruptionsAllowed})" != 0 ] && break; sleep 0.1; done; kubectl drain $NODE --pod-selector=app=pinned --ignore-daemonsets --delete-emptydir-data --timeout=40s; kubectl get node $NODE',
    prints: /pod\/pinned-\S+ evicted[\s\S]*(drained|evicted)[\s\S]*SchedulingDisabled/,
  },
  {
    area: 'drain',
    run: 'kubectl get pods -l app=pinned -o wide; kubectl describe pods -l app=pinned,kind!=agent | grep -A9 Events: | grep FailedScheduling',
    prints:
      /agent-\w+ +1\/1 +Running[\s\S]*FailedScheduling.*0\/6 nodes are available: .*\d node\(s\) were unschedulable/,
  },
  {
    area: 'cordon',
    run: 'kubectl uncordon $NODE && kubectl rollout status deployment/pinned --timeout=30s',
    prints: /uncordoned[\s\S]*successfully rolled out/,
  },
  {
    area: 'taint',
    run: 'POD=$(kubectl get pods -l kind=web -o name | head -1); kubectl taint node $NODE matrix=x:NoExecute && kubectl wait --for=delete $POD --timeout=30s; kubectl get events --field-selector reason=TaintManagerEviction; kubectl taint node $NODE matrix:NoExecute-',
    prints: /tainted[\s\S]*(Marking for deletion Pod|Deleting pod|Cancelling)[\s\S]*untainted/,
  },

  // top, events, explain, auth
  {
    area: 'top',
    run: 'kubectl top pods -A --sort-by=memory | head -3; kubectl top node $NODE',
    prints: /NAMESPACE +NAME +CPU\(cores\) +MEMORY\(bytes\)[\s\S]*CPU/,
  },
  { area: 'events', run: 'kubectl events --types=Warning', prints: /Warning +\w+/, since: 26 },
  { area: 'explain', run: 'kubectl explain cronjobs.spec.schedule --api-version=batch/v1', prints: /Cron format/ },
  { area: 'explain', run: 'kubectl explain hpa --recursive', prints: /maxReplicas[\s\S]*currentMetrics/ },
  { area: 'explain', run: 'kubectl explain pods.spec.nosuch', exit: 1, prints: /field "nosuch" does not exist/ },
  {
    area: 'auth',
    run: 'kubectl auth can-i "*" "*"; kubectl auth can-i get pods/log; kubectl auth can-i get pods --as=ann; kubectl auth can-i delete pods --as=ann',
    exit: 1,
    prints: /yes\nyes\nyes\nno/,
  },
  {
    area: 'plugin',
    run: 'mkdir -p $DIR/plugins; printf "#!/bin/sh\\necho plugged \\$1\\n" > $DIR/plugins/kubectl-greet; chmod +x $DIR/plugins/kubectl-greet; export PATH=$DIR/plugins:$PATH; kubectl plugin list 2>&1; kubectl greet you',
    prints: /kubectl-greet[\s\S]*plugged you/,
  },
  { area: 'cluster-info', run: 'kubectl cluster-info dump --namespaces $NS | grep -c "listening"', prints: /^\d+$/m },

  // writes with flags
  {
    area: 'patch',
    run: 'echo \'{"metadata":{"labels":{"p":"f"}}}\' > $DIR/p.json; kubectl patch pod burst --patch "$(cat $DIR/p.json)" --dry-run=server -o jsonpath={.metadata.labels.p}; kubectl get pod burst -o jsonpath={.metadata.labels}',
    prints: /^f(?!.*"p")/,
  },
  {
    area: 'patch',
    run: 'kubectl patch pod burst --subresource=status --type=merge -p \'{"status":{"message":"set by hand"}}\' -o jsonpath={.status.message}',
    prints: /set by hand/,
    since: 24,
  },
  {
    area: 'label',
    run: 'kubectl label pods --all batch=1 -o name | wc -l; kubectl label pod burst --list; kubectl annotate pod burst --list',
    prints: /batch=1/,
    since: 21,
  },
  {
    area: 'set',
    run: 'kubectl set env deployment/server --from=configmap/env --prefix=X_ && kubectl set env deployment/server --list --resolve',
    prints: /updated[\s\S]*X_A=1/,
  },
  {
    area: 'diff',
    run: 'kubectl diff --server-side --field-manager=diff -f $M/server.yaml >/dev/null; [ $? -le 1 ] && echo diffed',
    prints: /diffed/,
  },
  {
    area: 'apply',
    run: 'KUBE_EDITOR="sed -i s/port:.80/port:\\ 81/" kubectl apply edit-last-applied service/server',
    prints: /service\/server edited/,
  },
  {
    area: 'delete',
    run: 'kubectl delete pods -l app=burst --field-selector status.phase=Running --grace-period=1',
    prints: /pod "burst" deleted/,
  },
  {
    area: 'delete',
    run: 'kubectl delete deployment server --cascade=foreground --timeout=60s && kubectl get rs,pods -l app=server',
    prints: /deployment.apps "server" deleted[\s\S]*No resources found/,
  },
  {
    area: 'delete',
    run: 'kubectl delete clusterrole $NS-agg; kubectl delete ingressclass $NS-class; kubectl delete -f $M/pinned.yaml; kubectl delete ns $NS --timeout=90s; kubectl delete pv $NS-pv --timeout=30s',
    prints: /namespace "\S+" deleted[\s\S]*persistentvolume "\S+-pv" deleted/,
  },
];
