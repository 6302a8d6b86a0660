/** Writes kind/cluster.yaml, what the defaults make: node packages/kind/test/update-cluster-yaml.ts */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { committedClusterConfig } from './committed-cluster-config.ts';

writeFileSync(join(import.meta.dirname, '..', '..', '..', 'kind', 'cluster.yaml'), committedClusterConfig());
