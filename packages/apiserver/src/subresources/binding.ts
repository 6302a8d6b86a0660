import { badRequest, conflict, invalid, isRecord, type KubeObject, requiredValue } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { parseWriteQuery } from '../handlers/options.ts';
import { sendObject } from '../handlers/send.ts';
import { readBody } from '../http/body.ts';
import { parseDocument } from '../http/documents.ts';
import { sectionOf, timestampOf } from '../operations/object-identity.ts';
import { currentRecord, servedCopy } from '../operations/update.ts';
import { successStatus } from './success.ts';

/** POST of `pods/…/binding`: the scheduler puts a pod on a node (registry/core/pod `BindingREST`). */
export async function handleBinding(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const query = parseWriteQuery(call.query, 'CreateOptions', call.request.headers['user-agent'] ?? '');
  const raw = await parseDocument(await readBody(call.request), call.request.headers['content-type'], 'Binding');
  if (!isRecord(raw)) throw badRequest('the object provided is unrecognized (must be of type Binding)');
  const metadata = isRecord(raw.metadata) ? raw.metadata : {};
  const name = info.name === '' ? String(metadata.name ?? '') : info.name;
  if (metadata.name !== undefined && metadata.name !== name)
    throw badRequest('name in URL does not match name in Binding object');
  const target = isRecord(raw.target) ? raw.target : {};
  const problems = [
    ...(target.kind !== undefined && target.kind !== '' && target.kind !== 'Node'
      ? [
          {
            type: 'FieldValueNotSupported' as const,
            field: 'target.kind',
            badValue: target.kind,
            detail: 'supported values: "Node", "<empty>"',
          },
        ]
      : []),
    ...(typeof target.name === 'string' && target.name !== '' ? [] : [requiredValue('target.name')]),
  ];
  if (problems.length > 0) throw invalid({ group: '', kind: 'Binding' }, name, problems);
  const pods = context.resources.find('', 'v1', 'pods') ?? resource;
  const current = currentRecord(context, pods, info.namespace, name);
  const pod = servedCopy(pods, current);
  const spec = sectionOf(pod, 'spec');
  const refuse = (problem: string): Error => conflict({ group: '', resource: 'pods/binding' }, name, problem);
  if (typeof metadata.uid === 'string' && metadata.uid !== '' && metadata.uid !== pod.metadata?.uid)
    throw refuse(
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${pod.metadata?.uid ?? ''}`,
    );
  if (pod.metadata?.deletionTimestamp !== undefined)
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (typeof spec.nodeName === 'string' && spec.nodeName !== '')
    throw refuse(`pod ${name} is already assigned to node "${spec.nodeName}"`);
  if (Array.isArray(spec.schedulingGates) && spec.schedulingGates.length > 0)
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  spec.nodeName = target.name;
  const status = sectionOf(pod, 'status');
  const others = (Array.isArray(status.conditions) ? status.conditions : []).filter(
    (condition) => !isRecord(condition) || condition.type !== 'PodScheduled',
  );
  const observed = pod.metadata?.generation;
  status.conditions = [
    ...others,
    {
      type: 'PodScheduled',
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: timestampOf(context.clock.now()),
      ...(observed === undefined ? {} : { observedGeneration: observed }),
    },
  ];
  const next = { ...pod, spec, status } as KubeObject;
  const annotations = isRecord(metadata.annotations) ? (metadata.annotations as Record<string, string>) : undefined;
  if (annotations) next.metadata = { ...next.metadata, annotations: { ...next.metadata?.annotations, ...annotations } };
  // The binding goes past the pod's own rules, which let nobody set a node (`assignPod`).
  if (!query.dryRun) context.store.update(pods.collection, current, next);
  await sendObject(call, successStatus(201), 201);
}
