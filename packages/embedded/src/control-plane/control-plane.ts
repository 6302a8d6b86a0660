import { join } from 'node:path';
import { createApiServer } from '@kind-e2e/apiserver';
import { type Clock, createAddressPlan, Disposer, DNS_PORT, type Logger } from '@kind-e2e/base';
import { startControllers } from '@kind-e2e/controllers';
import { createKubeClient } from '@kind-e2e/kube-client';
import { createKubeletShared, type Kubelet, startKubelet } from '@kind-e2e/kubelet';
import { istioValidator, sidecarInjector, startMesh } from '@kind-e2e/mesh';
import { createRegistry, ImageStore } from '@kind-e2e/oci';
import { KUBELET_PORT } from '../config/address-block.ts';
import { type LabConfig, labPaths } from '../config/lab-config.ts';
import { refuseEphemeralContainers } from './ephemeral-containers.ts';
import { connectionFor, type Identities, loadIdentities, writeKubeconfig } from './identities.ts';
import { watchNodePower } from './node-power.ts';
import { NODES } from './nodes.ts';

export interface ControlPlaneOptions {
  readonly config: LabConfig;
  /** Node 24, for containers whose image brings no node. */
  readonly nodeBinary: string;
  /** The preload for Node programs in containers. */
  readonly preloadPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ControlPlane extends AsyncDisposable {
  readonly url: string;
  /** Ends every pod of every node, then everything else. Disposal alone leaves the pods running. */
  stopLab(): Promise<void>;
}

/** Port of the mesh's control half on the first node's address, as istiod's plain-text port. */
export const DISCOVERY_PORT = 15010;

/**
 * Starts the registry, the API server, the controllers, the kubelets and the mesh's control half, in the order in which
 * they need each other. They meet only at the API server.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, clock, logger } = options;
  const paths = labPaths(config.dataDir);
  const plan = createAddressPlan(config.addressBlock);
  const identities = loadIdentities(paths, plan, clock);
  const disposer = new Disposer();
  const log = (component: string): Logger => logger.child({ component });
  try {
    disposer.use(
      await createRegistry({
        directory: paths.registry,
        listen: { port: config.ports.registry },
        clock,
        logger: log('registry'),
      }),
    );
    const apiServer = disposer.use(
      await createApiServer({
        dataFile: paths.apiDatabase,
        listen: { host: '127.0.0.1', port: config.ports.api },
        tls: { ...identities.apiServer, caPem: identities.authority.certPem },
        serviceCidr: plan.serviceCidr,
        apiServiceAddress: plan.apiServiceAddress,
        tokens: [
          identities.admin,
          identities.controllerManager,
          identities.scheduler,
          identities.meshControl,
          ...identities.nodes.values(),
        ],
        clientCaPem: identities.authority.certPem,
        serviceAccountKey: { privatePem: identities.serviceAccountKeyPem },
        kubelet: { token: identities.kubeletAccessToken, caPem: identities.authority.certPem },
        mutators: [sidecarInjector, istioValidator],
        validators: [refuseEphemeralContainers],
        clock,
        logger: log('apiserver'),
      }),
    );
    const { url } = apiServer;
    writeKubeconfig(config, paths, url, identities);
    disposer.use(
      await startControllers({
        controllerManager: connectionFor(url, identities, identities.controllerManager, 'kube-controller-manager'),
        scheduler: connectionFor(url, identities, identities.scheduler, 'kube-scheduler'),
        caPem: identities.authority.certPem,
        signCertificate: (request) => identities.authority.signRequest(request),
        volumesDirectory: join(config.dataDir, 'volumes'),
        dns: { address: plan.dnsServiceAddress, port: DNS_PORT },
        clock,
        logger: log('controllers'),
      }),
    );
    disposer.use(
      await startMesh({
        client: disposer.use(
          createKubeClient(connectionFor(url, identities, identities.meshControl, 'pilot-discovery'), { clock }),
        ),
        addressPlan: plan,
        listen: { host: plan.nodeAddress(0), port: DISCOVERY_PORT },
        gatewayAddresses: [{ servicePort: 80, address: '127.0.0.1', port: config.ports.gateway }],
        caDirectory: join(paths.pki, 'mesh'),
        nodePortAddress: '127.0.0.1',
        // The cluster's DNS listens on the address of its service itself.
        foreignServices: ['kube-system/kube-dns'],
        clock,
        logger: log('mesh'),
      }),
    );
    const kubelets = await startKubelets(options, url, identities, disposer);
    const controllers = connectionFor(url, identities, identities.controllerManager, 'kube-controller-manager');
    disposer.use(
      await watchNodePower(disposer.use(createKubeClient(controllers, { clock })), kubelets, log('node-power')),
    );
    return {
      url,
      stopLab: async () => {
        await Promise.all(kubelets.map((kubelet) => kubelet.stopPods()));
        await disposer[Symbol.asyncDispose]();
      },
      [Symbol.asyncDispose]: () => disposer[Symbol.asyncDispose](),
    };
  } catch (error) {
    await disposer[Symbol.asyncDispose]();
    throw error;
  }
}

async function startKubelets(
  options: ControlPlaneOptions,
  url: string,
  identities: Identities,
  disposer: Disposer,
): Promise<readonly Kubelet[]> {
  const { config, clock, logger } = options;
  const plan = createAddressPlan(config.addressBlock);
  const clientOf = (nodeName: string) => {
    const identity = identities.nodes.get(nodeName) ?? identities.admin;
    return disposer.use(
      createKubeClient(connectionFor(url, identities, identity, 'kubelet'), { clock, maxConnections: 2 }),
    );
  };
  const shared = disposer.use(
    await createKubeletShared({
      client: clientOf(NODES[0]?.name ?? ''),
      dataDir: config.dataDir,
      images: await ImageStore.open({
        directory: join(config.dataDir, 'images'),
        // Nothing is downloaded at run time: an image of another registry is not found, at once.
        isAllowed: (host) =>
          [`localhost:${config.ports.registry}`, `127.0.0.1:${config.ports.registry}`].includes(host),
        logger: logger.child({ component: 'images' }),
      }),
      nodeBinary: options.nodeBinary,
      preloadPath: options.preloadPath,
      dnsAddress: `${plan.dnsServiceAddress}:${DNS_PORT}`,
      apiServerEndpoint: { host: '127.0.0.1', port: config.ports.api },
      clock,
      logger: logger.child({ component: 'kubelet' }),
    }),
  );
  return Promise.all(
    NODES.map(async (node) => {
      const tls = identities.kubelets.get(node.name);
      if (!tls) throw new Error(`no certificate for ${node.name}`);
      return disposer.use(
        await startKubelet({
          nodeName: node.name,
          nodeAddress: plan.nodeAddress(node.index),
          client: clientOf(node.name),
          shared,
          podCidr: plan.podCidr(node.index),
          ...(node.role === 'control-plane'
            ? {
                roles: ['control-plane'],
                taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
              }
            : {}),
          tls,
          apiToken: identities.kubeletAccessToken,
          apiPort: KUBELET_PORT,
          logger: logger.child({ component: 'kubelet', node: node.name }),
        }),
      );
    }),
  );
}
