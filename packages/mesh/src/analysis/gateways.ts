import { selects } from '../translate/gateways.ts';
import { protocolNamed } from '../translate/protocol.ts';
import { labelsMatch, nameOf, namespaceOf } from '../world/world.ts';
import type { AnalysisInput } from './analyze.ts';
import { message } from './codes.ts';
import { labelText } from './destination-rules.ts';
import type { AnalysisMessage } from './message.ts';

export function analyzeGateways({ world, pods }: AnalysisInput): AnalysisMessage[] {
  const found: AnalysisMessage[] = [];
  for (const object of world.gateways) {
    const selected = pods.filter((pod) => selects(object, pod, world));
    if (selected.length === 0)
      found.push(
        message(
          'ReferencedResourceNotFound',
          object,
          'Gateway',
          `Referenced selector not found: "${labelText(object.spec?.selector)}"`,
          'spec.selector',
        ),
      );
    object.spec?.servers?.forEach((server, i) => {
      const path = `spec.servers[${i}]`;
      const { tls } = server;
      const port = server.port?.number;
      const services = world.services.filter((service) => {
        const selector = service.spec?.selector;
        return (
          selector !== undefined &&
          selected.some((pod) => pod.namespace === namespaceOf(service) && labelsMatch(selector, pod.labels))
        );
      });
      if (
        selected.length > 0 &&
        services.length > 0 &&
        !services.some((service) => service.spec?.ports?.some((candidate) => candidate.port === port))
      )
        found.push(
          message(
            'GatewayPortNotOnWorkload',
            object,
            'Gateway',
            `The gateway refers to a port that is not exposed on the workload (pod selector ${labelText(object.spec?.selector)}; port ${port})`,
            `${path}.port`,
          ),
        );
      for (const name of [tls?.credentialName, ...(tls?.credentialNames ?? [])])
        if (
          name &&
          !world.secrets.some((secret) => nameOf(secret) === name && namespaceOf(secret) === namespaceOf(object))
        )
          found.push(
            message(
              'ReferencedResourceNotFound',
              object,
              'Gateway',
              `Referenced credentialName not found: "${name}"`,
              `${path}.tls.credentialName`,
            ),
          );
      if ((tls?.credentialNames?.length ?? 0) > 1)
        found.push(
          message(
            'NotEnforced',
            object,
            'Gateway',
            `${path}.tls.credentialNames: only the first certificate is used by the embedded engine`,
            `${path}.tls.credentialNames`,
          ),
        );
      if (tls?.mode === 'AUTO_PASSTHROUGH' || tls?.mode === 'ISTIO_MUTUAL')
        found.push(
          message(
            'NotEnforced',
            object,
            'Gateway',
            `${path}.tls.mode ${tls.mode} is not supported by the embedded engine: connections are refused`,
            `${path}.tls.mode`,
          ),
        );
      if (protocolNamed(server.port?.protocol) === undefined)
        found.push(
          message(
            'NotEnforced',
            object,
            'Gateway',
            `${path}.port.protocol ${server.port?.protocol ?? ''} is not supported by the embedded engine: nothing listens`,
            `${path}.port.protocol`,
          ),
        );
    });
  }
  return found;
}
