/** A kubelet in a process of its own, for tests that kill it. Reads its options as JSON from the first argument. */
import { silentLogger, systemClock } from '@kind-e2e/base';
import { createKubeClient } from '@kind-e2e/kube-client';
import { ImageStore } from '@kind-e2e/oci';
import { createKubeletShared, startKubelet } from '../src/index.ts';

const options = JSON.parse(process.argv[2] ?? '{}');
const client = createKubeClient(options.connection);
const images = await ImageStore.open({ directory: `${options.dataDir}/images`, logger: silentLogger });
const shared = await createKubeletShared({
  client,
  dataDir: options.dataDir,
  images,
  nodeBinary: process.execPath,
  clock: systemClock,
  logger: silentLogger,
});
const kubelet = await startKubelet({ ...options.kubelet, client, shared, logger: silentLogger });
process.send?.({ apiPort: kubelet.apiPort });
process.on('disconnect', () => process.exit(1));
