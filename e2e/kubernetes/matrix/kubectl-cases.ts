/** What kubectl is asked to do in the matrix of clients. Long because it is a table of data. */

/** One line of the matrix: a shell line, what it must print, and how it must end. */
export interface MatrixCase {
  readonly area: string;
  /** For `bash`, with `kubectl` and `helm` of the version under test first on PATH. */
  readonly run: string;
  /** Must match what it prints, both streams in one. */
  readonly prints?: RegExp;
  /** Default 0. */
  readonly exit?: number;
  /** The first minor version of the client that has it. Default: all. */
  readonly since?: number;
  /** The last minor version of the client that acts so: later ones are in a case of their own. */
  readonly until?: number;
}

/**
 * `$IMAGE` is an image of the lab's registry, `$NODE` a worker that no other version uses, `$M` the folder of manifests,
 * `$DIR` an empty folder. The namespace of the context belongs to the version under test; the cases run in this order.
 */
export const KUBECTL_CASES: readonly MatrixCase[] = [
  { area: 'version', run: 'kubectl version', prints: /Server Version.*v?1\.36|GitVersion:"v1\.36/s },
  { area: 'api-resources', run: 'kubectl api-resources', prints: /deployments +deploy +apps\/v1 +true +Deployment/ },
  { area: 'api-resources', run: 'kubectl api-resources --namespaced=false --verbs=list -o name', prints: /^nodes$/m },
  { area: 'api-resources', run: 'kubectl api-versions', prints: /^autoscaling\/v2$/m },
  { area: 'cluster-info', run: 'kubectl cluster-info', prints: /is running at.*https:\/\/127\.0\.0\.1/ },
  { area: 'get', run: 'kubectl get --raw /readyz', prints: /^ok$/ },

  // create: each generator
  { area: 'create', run: 'kubectl create namespace $NS-made', prints: /^namespace\/\S+-made created$/m },
  {
    area: 'create',
    run: 'kubectl create deployment web --image=$PAUSE --replicas=2',
    prints: /^deployment.apps\/web created$/m,
  },
  {
    area: 'create',
    run: 'kubectl create configmap conf --from-literal=a=1 --from-literal=b=2',
    prints: /^configmap\/conf created$/m,
  },
  {
    area: 'create',
    run: 'echo hello > $DIR/file.txt; kubectl create configmap files --from-file=$DIR/file.txt',
    prints: /created/,
  },
  { area: 'create', run: 'kubectl create secret generic sec --from-literal=p=w', prints: /^secret\/sec created$/m },
  {
    area: 'create',
    run: 'kubectl create secret docker-registry reg --docker-server=r --docker-username=u --docker-password=p',
    prints: /^secret\/reg created$/m,
  },
  {
    area: 'create',
    run: 'openssl req -x509 -newkey rsa:2048 -nodes -keyout $DIR/k -out $DIR/c -subj /CN=x -days 1 2>/dev/null; kubectl create secret tls tls --cert=$DIR/c --key=$DIR/k',
    prints: /^secret\/tls created$/m,
  },
  { area: 'create', run: 'kubectl create service clusterip svc-c --tcp=80:8080', prints: /^service\/svc-c created$/m },
  { area: 'create', run: 'kubectl create service nodeport svc-n --tcp=80:8080', prints: /^service\/svc-n created$/m },
  {
    area: 'create',
    run: 'kubectl create service loadbalancer svc-l --tcp=80:8080',
    prints: /^service\/svc-l created$/m,
  },
  {
    area: 'create',
    run: 'kubectl create service externalname svc-e --external-name=example.org',
    prints: /^service\/svc-e created$/m,
  },
  { area: 'create', run: 'kubectl create serviceaccount robot', prints: /^serviceaccount\/robot created$/m },
  {
    area: 'create',
    run: 'kubectl create role reader --verb=get,list,watch --resource=pods',
    prints: /^role.rbac.authorization.k8s.io\/reader created$/m,
  },
  {
    area: 'create',
    run: 'kubectl create rolebinding reader --role=reader --serviceaccount=$NS:robot',
    prints: /^rolebinding.rbac.authorization.k8s.io\/reader created$/m,
  },
  {
    area: 'create',
    run: 'kubectl create clusterrole $NS-cr --verb=get --resource=nodes',
    prints: /^clusterrole.rbac.authorization.k8s.io\/\S+ created$/m,
  },
  {
    area: 'create',
    run: 'kubectl create clusterrolebinding $NS-crb --clusterrole=$NS-cr --serviceaccount=$NS:robot',
    prints: /^clusterrolebinding.rbac.authorization.k8s.io\/\S+ created$/m,
  },
  { area: 'create', run: 'kubectl create quota q --hard=count/jobs.batch=50', prints: /^resourcequota\/q created$/m },
  {
    area: 'create',
    run: 'kubectl create priorityclass $NS-high --value=1000 --description=high',
    prints: /^priorityclass.scheduling.k8s.io\/\S+ created$/m,
  },
  {
    area: 'create',
    run: 'kubectl create poddisruptionbudget pdb --selector=app=web --min-available=1',
    prints: /^poddisruptionbudget.policy\/pdb created$/m,
    since: 21,
  },
  {
    area: 'create',
    run: 'kubectl create job once --image=$IMAGE -- sh -c "echo done"',
    prints: /^job.batch\/once created$/m,
  },
  {
    area: 'create',
    run: 'kubectl create cronjob tick --image=$IMAGE --schedule="0 0 1 1 *" -- true',
    prints: /^cronjob.batch\/tick created$/m,
    since: 21,
  },
  {
    area: 'create',
    run: 'kubectl create job from-cron --from=cronjob/tick',
    prints: /^job.batch\/from-cron created$/m,
    since: 21,
  },
  {
    area: 'create',
    run: 'kubectl create ingress ing --rule="x.example/path*=web:80"',
    prints: /^ingress.networking.k8s.io\/ing created$/m,
  },
  { area: 'create', run: 'kubectl create token robot', prints: /^ey[\w-]+\.[\w-]+\.[\w-]+$/m, since: 24 },
  {
    area: 'create',
    run: 'kubectl create configmap conf --from-literal=a=1',
    exit: 1,
    prints:
      /^(error: failed to create configmap|Error from server \(AlreadyExists\)): configmaps "conf" already exists$/m,
  },
  {
    area: 'create',
    run: 'kubectl create deployment Bad --image=x',
    exit: 1,
    prints:
      /The Deployment "Bad" is invalid: .*metadata.name: Invalid value: "Bad"|failed to create deployment: Deployment.apps "Bad" is invalid: metadata.name: Invalid value: "Bad"/s,
  },
  { area: 'create', run: 'kubectl create -f $M/broken.yaml', exit: 1, prints: /unknown field "(spec\.)?replica"/ },
  {
    area: 'create',
    run: 'kubectl create deployment dry --image=x --dry-run=server -o name',
    prints: /^deployment.apps\/dry$/m,
  },

  // run, expose
  {
    area: 'run',
    run: 'kubectl run shell --image=$IMAGE --labels=app=shell --command -- sh -c \'i=0; echo start; while true; do i=$((i+1)); echo "line $i"; sleep 1; done\'',
    prints: /^pod\/shell created$/m,
  },
  {
    area: 'run',
    run: "kubectl run echo --image=$IMAGE --port=8080 --labels=app=echo --command -- node -e \"require('http').createServer((q,s)=>s.end('hi from echo')).listen(8080)\"",
    prints: /^pod\/echo created$/m,
  },
  {
    area: 'run',
    run: 'kubectl run attached --image=$IMAGE --restart=Never --attach --rm --quiet --command -- sh -c "sleep 1; echo from attached; sleep 1"',
    prints: /from attached/,
  },
  {
    area: 'run',
    run: 'echo "typed text" | kubectl run piped --image=$IMAGE --restart=Never -i --rm --quiet --command -- cat',
    prints: /typed text/,
  },
  { area: 'expose', run: 'kubectl expose pod echo --port=80 --target-port=8080', prints: /^service\/echo exposed$/m },
  { area: 'expose', run: 'kubectl expose deployment web --port=80 --name=web', prints: /^service\/web exposed$/m },

  // rollout and wait
  {
    area: 'rollout',
    run: 'kubectl rollout status deployment/web --timeout=60s',
    prints: /deployment "web" successfully rolled out/,
  },
  {
    area: 'wait',
    run: 'kubectl wait --for=condition=Ready pod/shell pod/echo --timeout=60s',
    prints: /pod\/shell condition met\npod\/echo condition met/,
  },
  {
    area: 'wait',
    run: 'kubectl wait --for=condition=complete job/once --timeout=60s',
    prints: /job.batch\/once condition met/,
  },
  {
    area: 'wait',
    run: "kubectl wait --for=jsonpath='{.status.phase}'=Running pod/shell --timeout=60s",
    prints: /condition met/,
    since: 23,
  },
  {
    area: 'wait',
    run: 'kubectl wait --for=condition=Ready pod/once-nobody --timeout=1s',
    exit: 1,
    prints: /pods "once-nobody" not found/,
  },
  {
    area: 'wait',
    run: 'kubectl wait --for=condition=Nothing pod/shell --timeout=1s',
    exit: 1,
    prints: /timed out waiting for the condition/,
  },
  {
    area: 'rollout',
    run: 'kubectl set image deployment/web pause=$PAUSE2 --record=false',
    prints: /deployment.apps\/web image updated/,
  },
  { area: 'rollout', run: 'kubectl rollout status deployment/web --timeout=60s', prints: /successfully rolled out/ },
  {
    area: 'rollout',
    run: 'kubectl rollout history deployment/web',
    prints: /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/,
  },
  {
    area: 'rollout',
    run: 'kubectl rollout history deployment/web --revision=2',
    prints: /with revision #2[\s\S]*Image:\s+\S*pause:2/,
  },
  { area: 'rollout', run: 'kubectl rollout undo deployment/web', prints: /deployment.apps\/web rolled back/ },
  {
    area: 'rollout',
    run: 'kubectl rollout status deployment/web --timeout=60s && kubectl get deployment web -o jsonpath={.spec.template.spec.containers[0].image}',
    prints: /pause:1/,
  },
  {
    area: 'rollout',
    run: 'kubectl rollout undo deployment/web --to-revision=99',
    exit: 1,
    prints: /unable to find specified revision 99 in history/,
  },
  { area: 'rollout', run: 'kubectl rollout restart deployment/web', prints: /deployment.apps\/web restarted/ },
  { area: 'rollout', run: 'kubectl rollout status deployment/web --timeout=60s', prints: /successfully rolled out/ },
  { area: 'rollout', run: 'kubectl rollout pause deployment/web', prints: /deployment.apps\/web paused/ },
  {
    area: 'rollout',
    run: 'kubectl rollout restart deployment/web',
    exit: 1,
    prints: /can't restart paused deployment/,
  },
  { area: 'rollout', run: 'kubectl rollout resume deployment/web', prints: /deployment.apps\/web resumed/ },
  {
    area: 'apply',
    run: 'kubectl apply -f $M/sets.yaml',
    prints: /statefulset.apps\/db created\ndaemonset.apps\/agent created/,
  },
  {
    area: 'rollout',
    run: 'kubectl rollout status statefulset/db --timeout=60s',
    prints: /rolling update complete|statefulset rolling update complete|roll out complete/,
  },
  {
    area: 'rollout',
    run: 'kubectl rollout status daemonset/agent --timeout=60s',
    prints: /daemon set "agent" successfully rolled out/,
  },
  {
    area: 'rollout',
    run: 'kubectl set image statefulset/db pause=$PAUSE2; kubectl rollout status statefulset/db --timeout=60s; kubectl rollout history statefulset/db',
    prints: /^1 +<none>\n2 +<none>/m,
  },
  {
    area: 'rollout',
    run: 'kubectl rollout undo statefulset/db; kubectl rollout undo daemonset/agent',
    exit: 1,
    prints: /statefulset.apps\/db rolled back\n(Warning: .*\n)?error: no last revision to roll back to/,
  },
  {
    area: 'rollout',
    run: 'kubectl set image daemonset/agent pause=$PAUSE2; kubectl rollout status daemonset/agent --timeout=60s; kubectl rollout history daemonset/agent',
    prints: /^1 +<none>\n2 +<none>/m,
  },

  // scale, autoscale
  { area: 'scale', run: 'kubectl scale deployment/web --replicas=3', prints: /deployment.apps\/web scaled/ },
  {
    area: 'scale',
    run: 'kubectl scale deployment/web --current-replicas=7 --replicas=1',
    exit: 1,
    prints: /[Ee]xpected replicas to be 7,? was 3/,
  },
  { area: 'scale', run: 'kubectl scale statefulset/db --replicas=1', prints: /statefulset.apps\/db scaled/ },
  {
    area: 'autoscale',
    run: 'kubectl autoscale deployment/web --min=2 --max=5 --cpu-percent=80',
    prints: /horizontalpodautoscaler.autoscaling\/web autoscaled/,
  },
  {
    area: 'autoscale',
    run: 'kubectl get hpa web',
    prints: /NAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE\nweb +Deployment\/web +(cpu: )?\S+\/80% +2 +5/,
  },

  // get
  {
    area: 'get',
    run: 'kubectl get pods -o wide',
    prints:
      /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES[\s\S]*^shell +1\/1 +Running/m,
  },
  {
    area: 'get',
    run: 'kubectl get deployment web -o yaml',
    prints: /apiVersion: apps\/v1\nkind: Deployment\n[\s\S]*observedGeneration:/,
  },
  { area: 'get', run: 'kubectl get pod shell -o json', prints: /"hostIP": "127\./ },
  {
    area: 'get',
    run: 'kubectl get pods -o custom-columns=N:.metadata.name,S:.status.phase -l app=shell',
    prints: /^N +S\nshell +Running/m,
  },
  { area: 'get', run: 'kubectl get pods -A', prints: /NAMESPACE +NAME +READY[\s\S]*istio-system +observability/ },
  {
    area: 'get',
    run: 'kubectl get pods -l "app in (echo,shell),app!=web" -o name',
    prints: /^pod\/echo\npod\/shell$/m,
  },
  {
    area: 'get',
    run: 'kubectl get pods --field-selector status.phase=Running,metadata.name=echo -o name',
    prints: /^pod\/echo$/m,
  },
  {
    area: 'get',
    run: 'kubectl get pods --field-selector spec.nosuch=1',
    exit: 1,
    prints: /field label not supported: spec.nosuch/,
  },
  {
    area: 'get',
    run: 'kubectl get services --sort-by=.metadata.name',
    prints: /echo[\s\S]*svc-c[\s\S]*svc-n[\s\S]*web/,
  },
  { area: 'get', run: "kubectl get events --sort-by='{.lastTimestamp}'", prints: /Scheduled +pod\/shell/ },
  {
    area: 'get',
    run: 'timeout 3 kubectl get pods -l app=shell -w --output-watch-events',
    exit: 124,
    prints: /EVENT +NAME[\s\S]*ADDED +shell/,
  },
  {
    area: 'get',
    run: '(sleep 1; kubectl label configmap conf w=1 >/dev/null) & timeout 4 kubectl get configmaps -w --show-labels; wait',
    prints: /conf +2 +\S+ +<none>[\s\S]*conf +2 +\S+ +w=1/,
  },
  {
    area: 'get',
    run: 'kubectl get all',
    prints:
      /pod\/shell[\s\S]*service\/web[\s\S]*daemonset.apps\/agent[\s\S]*deployment.apps\/web[\s\S]*replicaset.apps\/web-[\s\S]*statefulset.apps\/db[\s\S]*job.batch\/once/,
  },
  {
    area: 'get',
    run: 'kubectl get nodes -o wide',
    prints:
      /NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME[\s\S]*worker-3 +Ready/,
  },
  { area: 'get', run: 'kubectl get pods --chunk-size=2 --no-headers | wc -l', prints: /^\s*([5-9]|1\d)$/m },
  {
    area: 'get',
    run: 'kubectl get pod nobody',
    exit: 1,
    prints: /^Error from server \(NotFound\): pods "nobody" not found$/m,
  },
  {
    area: 'get',
    run: 'kubectl get nosuchkind',
    exit: 1,
    prints: /error: the server doesn't have a resource type "nosuchkind"/,
  },
  { area: 'get', run: 'kubectl get deployment web --subresource=scale -o name', prints: /web/, since: 24 },
  { area: 'get', run: 'kubectl get pods -L app --show-kind', prints: /pod\/shell +1\/1 +Running +0 +\S+ +shell/ },
  { area: 'get', run: 'kubectl get pod shell -o go-template="{{.spec.restartPolicy}}"', prints: /Always/ },
  {
    area: 'get',
    run: 'kubectl get ns,sa,cm,secrets,ep,pvc,quota,limits,rc,rs,ing,netpol,pdb,hpa,leases,sc,pc,roles,rolebindings,crd,apiservices,ingressclass,pv,csr 2>&1 | tail -3; kubectl get endpointslices',
    prints: /web-\S+ +IPv4/,
  },

  // describe
  {
    area: 'describe',
    run: 'kubectl describe pod shell',
    prints: /Status: +Running[\s\S]*Container ID:[\s\S]*QoS Class: +BestEffort[\s\S]*Scheduled[\s\S]*Started/,
  },
  {
    area: 'describe',
    run: 'kubectl describe deployment web',
    prints:
      /Replicas: +3 desired[\s\S]*Available +True +MinimumReplicasAvailable[\s\S]*NewReplicaSet:[\s\S]*ScalingReplicaSet/,
  },
  {
    area: 'describe',
    run: 'kubectl describe replicaset -l app=web',
    prints: /Controlled By: +Deployment\/web[\s\S]*Pods Status:/,
  },
  { area: 'describe', run: 'kubectl describe service web', prints: /Type: +ClusterIP[\s\S]*Endpoints: +127\./ },
  {
    area: 'describe',
    run: 'kubectl describe statefulset db; kubectl describe daemonset agent',
    prints: /SuccessfulCreate[\s\S]*Desired Number of Nodes Scheduled: +\d/,
  },
  {
    area: 'describe',
    run: 'kubectl describe job once',
    prints: /Pods Statuses: +0 (Active|Running).*\/ 1 Succeeded \/ 0 Failed[\s\S]*Completed/,
  },
  {
    area: 'describe',
    run: 'kubectl describe node $NODE',
    prints: /Conditions:[\s\S]*Ready +True[\s\S]*KubeletReady[\s\S]*Non-terminated Pods:[\s\S]*Allocated resources:/,
  },
  {
    area: 'describe',
    run: 'kubectl describe configmap conf; kubectl describe secret sec; kubectl describe sa robot; kubectl describe ns $NS; kubectl describe quota q; kubectl describe role reader; kubectl describe rolebinding reader; kubectl describe ingress ing; kubectl describe endpoints web; kubectl describe pc $NS-high; kubectl describe clusterrole $NS-cr',
    prints:
      /Data\n====[\s\S]*p: +1 bytes[\s\S]*robot[\s\S]*Status: +Active[\s\S]*count\/jobs.batch +\d +50[\s\S]*pods +\[\][\s\S]*ServiceAccount +robot[\s\S]*x.example[\s\S]*Addresses: +127\.[\s\S]*Value: +1000/,
  },
  { area: 'describe', run: 'kubectl describe hpa web', prints: /Reference: +Deployment\/web/ },
  {
    area: 'describe',
    run: 'kubectl describe cronjob tick; kubectl describe pdb pdb; kubectl describe endpointslice -l kubernetes.io/service-name=web',
    prints: /Schedule: +0 0 1 1 \*[\s\S]*Min available: +1[\s\S]*AddressType: +IPv4/,
    since: 25,
  },
  {
    area: 'describe',
    run: 'kubectl describe crd gateways.networking.istio.io; kubectl describe sc; kubectl describe gateway -n default',
    prints: /Kind: +CustomResourceDefinition[\s\S]*Provisioner:[\s\S]*app-gateway/,
  },

  // apply and diff
  {
    area: 'apply',
    run: 'kubectl apply -f $M/app-1.yaml',
    prints: /configmap\/app created\nservice\/app created\ndeployment.apps\/app created/,
  },
  {
    area: 'apply',
    run: 'kubectl apply -f $M/app-1.yaml',
    prints: /configmap\/app unchanged\nservice\/app unchanged\ndeployment.apps\/app unchanged/,
  },
  { area: 'diff', run: 'kubectl diff -f $M/app-1.yaml', exit: 0 },
  {
    area: 'diff',
    run: 'kubectl diff -f $M/app-2.yaml',
    exit: 1,
    prints: /- {2}one: "1"[\s\S]*\+ {2}two: "2"[\s\S]*- {2,}- containerPort: 8081|- {2}one: "1"[\s\S]*\+ {2}two: "2"/,
  },
  {
    area: 'apply',
    run: 'kubectl apply -f $M/app-2.yaml',
    prints: /configmap\/app configured\nservice\/app configured\ndeployment.apps\/app configured/,
  },
  {
    area: 'apply',
    run: 'kubectl get deployment app -o jsonpath="{.spec.template.spec.containers[*].name} {.spec.template.spec.containers[0].env[*].name}"; kubectl get cm app -o jsonpath={.data}',
    prints: /^main B ?(\n)?(map\[two:2\]|\{"two":"2"\})/m,
  },
  {
    area: 'apply',
    run: 'kubectl apply --dry-run=server -f $M/app-1.yaml',
    prints: /deployment.apps\/app configured \(server dry run\)/,
  },
  { area: 'apply', run: 'kubectl apply view-last-applied configmap/app', prints: /two: "2"/ },
  { area: 'apply', run: 'kubectl apply set-last-applied -f $M/app-2.yaml', prints: /configmap\/app configured/ },
  { area: 'apply', run: 'kubectl apply -f $M/broken.yaml', exit: 1, prints: /unknown field "(spec\.)?replica"/ },
  {
    area: 'apply',
    run: 'kubectl apply --server-side -f $M/ssa-1.yaml',
    prints: /configmap\/ssa serverside-applied\ndeployment.apps\/ssa serverside-applied/,
  },
  {
    area: 'apply',
    run: 'kubectl apply --server-side --field-manager=other -f $M/ssa-2.yaml',
    exit: 1,
    prints: /Apply failed with 1 conflict: conflict with "kubectl"( using v1)?: \.data\.a/,
  },
  {
    area: 'apply',
    run: 'kubectl apply --server-side --field-manager=other --force-conflicts -f $M/ssa-2.yaml && kubectl get cm ssa -o jsonpath={.data.a}',
    prints: /serverside-applied[\s\S]*changed/,
  },
  {
    area: 'apply',
    run: 'kubectl apply --server-side -f $M/app-2.yaml --force-conflicts',
    prints: /serverside-applied/,
  },
  {
    area: 'apply',
    run: 'kubectl apply --prune -l prune=me -f $M/prune-1.yaml && kubectl apply --prune -l prune=me -f $M/prune-2.yaml',
    prints: /configmap\/prune-b pruned/,
    since: 26,
  },
  {
    area: 'apply',
    run: 'kubectl apply -f $M/crd.yaml && kubectl wait --for=condition=Established crd/widgets.$GROUP --timeout=20s && kubectl apply -f $M/widget.yaml && kubectl get widgets.$GROUP',
    prints: /widget.*created[\s\S]*NAME +SIZE\nsmall +3/,
  },
  {
    area: 'apply',
    run: "sed 's/size: 3/size: 99/' $M/widget.yaml | kubectl apply -f -",
    exit: 1,
    prints: /spec.size.*should be less than or equal to 10|spec.size in body should be less than or equal to 10/,
  },
  { area: 'explain', run: 'kubectl explain widgets.spec', prints: /size\s+<integer>/ },

  // replace, patch, label, annotate, edit, set
  {
    area: 'replace',
    run: 'kubectl get cm conf -o yaml | sed "s/a: \\"1\\"/a: replaced/" | kubectl replace -f - && kubectl get cm conf -o jsonpath={.data.a}',
    prints: /configmap\/conf replaced\nreplaced/,
  },
  {
    area: 'replace',
    run: 'kubectl get pod echo -o yaml | kubectl replace --force -f -',
    prints: /pod "echo" deleted[\s\S]*pod\/echo replaced/,
  },
  { area: 'replace', run: 'kubectl replace -f $M/absent.yaml', exit: 1, prints: /configmaps "absent" not found/ },
  {
    area: 'patch',
    run: 'kubectl patch deployment web -p \'{"spec":{"template":{"spec":{"containers":[{"name":"pause","env":[{"name":"X","value":"1"}]}]}}}}\'',
    prints: /deployment.apps\/web patched/,
  },
  {
    area: 'patch',
    run: 'kubectl patch cm conf --type=merge -p \'{"data":{"b":null,"c":"3"}}\'; kubectl get cm conf -o jsonpath={.data}',
    prints: /configmap\/conf patched\n(map\[a:replaced c:3\]|\{"a":"replaced","c":"3"\})/,
  },
  {
    area: 'patch',
    run: 'kubectl patch cm conf --type=json -p \'[{"op":"test","path":"/data/c","value":"3"},{"op":"replace","path":"/data/c","value":"4"}]\'',
    prints: /configmap\/conf patched/,
  },
  {
    area: 'patch',
    run: 'kubectl patch cm conf -p \'{"data":{"c":"4"}}\'',
    prints: /configmap\/conf patched \(no change\)/,
  },
  {
    area: 'patch',
    run: 'kubectl patch cm conf --type=json -p \'[{"op":"remove","path":"/data/nosuch"}]\'',
    exit: 1,
    prints: /the server rejected our request due to an error in our request|is invalid/,
  },
  {
    area: 'patch',
    run: 'kubectl patch deployment web --subresource=scale --type=merge -p \'{"spec":{"replicas":2}}\'',
    prints: /scale.autoscaling\/web patched/,
    since: 24,
  },
  {
    area: 'label',
    run: 'kubectl label pod shell tier=x && kubectl label pod shell tier=y',
    exit: 1,
    prints: /pod\/shell labeled[\s\S]*'tier' already has a value \(x\), and --overwrite is false/,
  },
  {
    area: 'label',
    run: 'kubectl label pod shell tier=y --overwrite && kubectl label pod shell tier-',
    prints: /pod\/shell labeled[\s\S]*pod\/shell (labeled|unlabeled)/,
  },
  { area: 'label', run: 'kubectl label pod shell "bad key=1"', exit: 1, prints: /bad key/ },
  {
    area: 'annotate',
    run: 'kubectl annotate pod shell note="some text" && kubectl annotate pod shell note-',
    prints: /pod\/shell annotated\npod\/shell annotated/,
  },
  {
    area: 'edit',
    run: 'KUBE_EDITOR="sed -i s/replaced/edited/" kubectl edit configmap conf && kubectl get cm conf -o jsonpath={.data.a}',
    prints: /configmap\/conf edited\nedited/,
  },
  { area: 'edit', run: 'KUBE_EDITOR=true kubectl edit configmap conf', prints: /Edit cancelled, no changes made/ },
  {
    area: 'edit',
    run: 'KUBE_EDITOR="sed -i s/replicas:.*/replicas:\\ 4/" kubectl edit deployment ssa && kubectl get deployment ssa -o jsonpath={.spec.replicas}',
    prints: /deployment.apps\/ssa edited\n4/,
  },
  {
    area: 'set',
    run: 'kubectl set env deployment/web COLOR=red && kubectl set env deployment/web --list',
    prints: /web env updated[\s\S]*COLOR=red/,
  },
  {
    area: 'set',
    run: 'kubectl set resources deployment/web --requests=cpu=10m,memory=8Mi --limits=memory=64Mi',
    prints: /web resource requirements updated/,
  },
  {
    area: 'set',
    run: 'kubectl set serviceaccount deployment/web robot; kubectl set selector service/svc-c app=web; kubectl set subject rolebinding reader --user=jane',
    prints:
      /serviceaccount updated\nservice\/svc-c selector updated\nrolebinding.rbac.authorization.k8s.io\/reader subjects updated/,
  },
  {
    area: 'set',
    run: 'kubectl patch deployment web -p \'{"spec":{"selector":{"matchLabels":{"x":"y"}}}}\'',
    exit: 1,
    prints: /field is immutable/,
  },

  // logs, exec, attach, cp, port-forward
  {
    area: 'wait',
    run: 'kubectl wait --for=condition=Ready pod/shell pod/echo --timeout=60s',
    prints: /pod\/echo condition met/,
  },
  { area: 'logs', run: 'kubectl logs shell', prints: /start\nline 1\n/ },
  { area: 'logs', run: 'kubectl logs shell --tail=1 --timestamps', prints: /^\d{4}-\d\d-\d\dT\S+Z line \d+$/m },
  { area: 'logs', run: 'timeout 3 kubectl logs -f shell --tail=1', exit: 124, prints: /line \d+\nline \d+/ },
  { area: 'logs', run: 'kubectl logs shell --since=2s | wc -l', prints: /^\s*[123]$/m },
  { area: 'logs', run: 'kubectl logs shell --limit-bytes=5', prints: /^start$/m },
  {
    area: 'logs',
    run: 'kubectl logs job/once; kubectl logs -l app=shell --tail=1 --prefix; kubectl logs deployment/web --all-containers',
    prints: /done\n\[pod\/shell\/shell\] line/,
  },
  {
    area: 'logs',
    run: 'kubectl apply -f $M/crash.yaml; for i in $(seq 40); do kubectl logs crash --previous 2>/dev/null && break; sleep 0.5; done',
    prints: /run of crash/,
  },
  {
    area: 'logs',
    run: 'kubectl logs shell --previous',
    exit: 1,
    prints: /previous terminated container "shell" in pod "shell" not found/,
  },
  { area: 'logs', run: 'kubectl logs shell -c nosuch', exit: 1, prints: /container nosuch is not valid for pod shell/ },
  {
    area: 'exec',
    run: 'kubectl exec shell -- sh -c "echo out; echo err >&2; exit 3"',
    exit: 3,
    prints: /out[\s\S]*err|err[\s\S]*out/,
  },
  { area: 'exec', run: 'echo "from stdin" | kubectl exec -i shell -- cat', prints: /^from stdin$/m },
  { area: 'exec', run: 'head -c 3000000 /dev/zero | kubectl exec -i shell -- sh -c "wc -c"', prints: /^3000000$/m },
  { area: 'exec', run: 'kubectl exec shell -- sh -c "head -c 3000000 /dev/zero" | wc -c', prints: /^3000000$/m },
  {
    area: 'exec',
    run: 'script -qec "kubectl exec -it shell -- sh -c \'test -t 0 && test -t 1 && echo a tty; stty size\'" /dev/null </dev/null',
    prints: /a tty[\s\S]*\d+ \d+/,
  },
  {
    area: 'exec',
    run: 'kubectl exec deployment/nosuch -- true',
    exit: 1,
    prints: /deployments.apps "nosuch" not found/,
  },
  { area: 'exec', run: 'kubectl exec shell -- /no/such/program', prints: /no such file or directory/, exit: 1 },
  { area: 'attach', run: 'timeout 3 kubectl attach shell', exit: 124, prints: /line \d+/ },
  {
    area: 'cp',
    // kubectl 1.20 ends as soon as it has the archive, be it in the midst of what tar complains of.
    run: 'head -c 200000 /dev/urandom > $DIR/blob; kubectl cp $DIR/blob shell:/tmp/blob && kubectl cp shell:/tmp/blob $DIR/blob2 && cmp $DIR/blob $DIR/blob2 && echo same',
    prints: /same$/m,
  },
  {
    area: 'cp',
    run: 'mkdir -p $DIR/tree/sub; echo x > $DIR/tree/sub/f; kubectl cp $DIR/tree shell:/tmp/tree && kubectl exec shell -- cat /tmp/tree/sub/f',
    prints: /^x$/m,
  },
  {
    area: 'port-forward',
    run: 'kubectl port-forward pod/echo :8080 > $DIR/pf & for i in $(seq 50); do P=$(sed -n "s/.*127.0.0.1:\\([0-9]*\\) .*/\\1/p" $DIR/pf); [ -n "$P" ] && break; sleep 0.1; done; for i in 1 2 3; do curl -s http://127.0.0.1:$P; echo; done; kill %1',
    prints: /(hi from echo\s*){3}/,
  },
  {
    area: 'port-forward',
    run: 'kubectl port-forward service/echo :80 > $DIR/pf2 & for i in $(seq 50); do P=$(sed -n "s/.*127.0.0.1:\\([0-9]*\\) .*/\\1/p" $DIR/pf2); [ -n "$P" ] && break; sleep 0.1; done; curl -s http://127.0.0.1:$P; kill %1',
    prints: /hi from echo/,
  },
  {
    area: 'proxy',
    run: 'kubectl get --raw /api/v1/namespaces/$NS/services/echo:80/proxy/; kubectl get --raw /api/v1/namespaces/$NS/pods/echo:8080/proxy/x',
    prints: /hi from echohi from echo/,
  },
  {
    area: 'debug',
    run: 'kubectl debug shell --image=$IMAGE -- true',
    prints: /[Dd]efaulting debug container name|[Ee]phemeral containers/,
    exit: 1,
    since: 99,
  },

  // nodes
  {
    area: 'cordon',
    run: 'kubectl cordon $NODE && kubectl get node $NODE && kubectl uncordon $NODE',
    prints: /cordoned[\s\S]*Ready,SchedulingDisabled[\s\S]*uncordoned/,
  },
  {
    area: 'taint',
    run: 'kubectl taint node $NODE a=b:NoSchedule && kubectl taint node $NODE a=b:NoSchedule-',
    prints: /tainted[\s\S]*untainted/,
  },
  {
    area: 'drain',
    run: 'kubectl drain $NODE --ignore-daemonsets --force --delete-emptydir-data --timeout=60s --pod-selector=app=drained; kubectl uncordon $NODE',
    prints: /(drained|evicted)[\s\S]*uncordoned/,
  },
  {
    area: 'top',
    run: 'kubectl top nodes',
    prints: /NAME +CPU\(cores\) +CPU(%|\(%\)) +MEMORY\(bytes\) +MEMORY(%|\(%\))[\s\S]*worker-1 +\d+m/,
  },
  {
    area: 'top',
    run: 'for i in $(seq 30); do kubectl top pods 2>/dev/null | grep -q shell && break; sleep 1; done; kubectl top pods --containers',
    prints: /POD +NAME +CPU\(cores\) +MEMORY\(bytes\)[\s\S]*shell +shell +\d+m +\d+Mi/,
  },

  // auth
  { area: 'auth', run: 'kubectl auth can-i create pods', prints: /^yes$/m },
  { area: 'auth', run: 'kubectl auth can-i delete pods --as=system:serviceaccount:$NS:robot', exit: 1, prints: /^no/m },
  {
    area: 'auth',
    run: 'kubectl auth can-i --list --as=system:serviceaccount:$NS:robot',
    prints: /Resources +Non-Resource URLs +Resource Names +Verbs[\s\S]*selfsubjectaccessreviews.authorization.k8s.io/,
  },
  { area: 'auth', run: 'kubectl auth whoami', prints: /Username +kubernetes-admin/, since: 27 },
  {
    area: 'auth',
    run: 'kubectl get pods --as=jane -n kube-system',
    exit: 1,
    prints:
      /Error from server \(Forbidden\): pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "kube-system"/,
  },
  {
    area: 'auth',
    run: 'kubectl auth reconcile -f $M/role.yaml',
    prints: /role.rbac.authorization.k8s.io\/made reconciled/,
  },

  // explain, events, kustomize
  {
    area: 'explain',
    run: 'kubectl explain deployment.spec.strategy.rollingUpdate',
    prints: /maxSurge[\s\S]*The maximum number of pods that can be scheduled above/,
  },
  {
    area: 'explain',
    run: 'kubectl explain pod.spec.containers.livenessProbe.httpGet',
    prints: /Path to access on the HTTP server/,
  },
  { area: 'explain', run: 'kubectl explain pods --recursive', prints: /terminationGracePeriodSeconds/ },
  { area: 'explain', run: 'kubectl explain virtualservice.spec', prints: /hosts/ },
  { area: 'events', run: 'kubectl events --for pod/shell', prints: /LAST SEEN +TYPE +REASON[\s\S]*Started/, since: 26 },
  { area: 'kustomize', run: 'kubectl kustomize $M/kustomize', prints: /name: pre-base/ },
  {
    area: 'kustomize',
    run: 'kubectl apply -k $M/kustomize && kubectl get -k $M/kustomize && kubectl delete -k $M/kustomize',
    prints: /configmap\/pre-base-\S+ created[\s\S]*configmap "pre-base-\S+" deleted/,
  },

  // delete
  { area: 'delete', run: 'kubectl delete pod echo --grace-period=0 --force', prints: /pod "echo" force deleted/ },
  {
    area: 'delete',
    run: 'kubectl delete deployment web --cascade=orphan && kubectl get rs -l app=web -o name && kubectl delete rs -l app=web',
    prints: /deployment.apps "web" deleted[\s\S]*replicaset.apps\/web-[\s\S]*deleted/,
  },
  {
    area: 'delete',
    run: 'kubectl delete statefulset db --cascade=foreground --timeout=60s; kubectl delete daemonset agent --now',
    prints: /statefulset.apps "db" deleted[\s\S]*daemonset.apps "agent" deleted/,
  },
  {
    area: 'delete',
    run: 'kubectl delete job once --dry-run=server',
    prints: /job.batch "once" deleted.*\(server dry run\)/,
  },
  { area: 'delete', run: 'kubectl delete configmap nosuch', exit: 1, prints: /configmaps "nosuch" not found/ },
  { area: 'delete', run: 'kubectl delete configmap nosuch --ignore-not-found', exit: 0 },
  {
    area: 'delete',
    run: 'kubectl delete svc,ing,hpa,jobs --all',
    prints: /service "web" deleted[\s\S]*ingress.networking.k8s.io "ing" deleted/,
  },
  {
    area: 'delete',
    run: 'kubectl delete -f $M/crd.yaml && kubectl get widgets.$GROUP',
    exit: 1,
    prints:
      /customresourcedefinition.* deleted[\s\S]*(doesn't have a resource type "widgets"|could not find the requested resource|Unable to list)/,
  },
  {
    area: 'delete',
    run: 'kubectl delete clusterrole $NS-cr; kubectl delete clusterrolebinding $NS-crb; kubectl delete pc $NS-high; kubectl delete ns $NS-made $NS --timeout=90s',
    prints: /namespace "\S+-made" deleted\nnamespace "\S+" deleted/,
  },
];
