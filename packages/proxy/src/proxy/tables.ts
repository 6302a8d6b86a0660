import { messageOf } from '@kind-e2e/base';
import { CompiledRouteTable } from '../http/route-table.ts';
import type { Cluster } from '../snapshot/clusters.ts';
import type { Identity, Snapshot, WorkloadMetadata } from '../snapshot/snapshot.ts';
import type { Party } from '../telemetry/metrics.ts';

/**
 * A snapshot in the form that requests use. What did not change keeps its objects from one snapshot to the next, so that
 * compiled routes and balancing state live on.
 */
export class Tables {
  readonly snapshot: Snapshot;
  /** What could not be used. */
  readonly problems: string[] = [];
  readonly #routes = new Map<string, { text: string; table: CompiledRouteTable }>();
  readonly #clusters = new Map<string, { text: string; config: Cluster }>();
  readonly #byAddress = new Map<string, WorkloadMetadata>();
  readonly #parties = new Map<WorkloadMetadata, Map<string, Party>>();

  constructor(snapshot: Snapshot, before: Tables | undefined) {
    this.snapshot = snapshot;
    for (const metadata of Object.values(snapshot.metadata)) this.#byAddress.set(metadata.address, metadata);
    for (const [key, config] of Object.entries(snapshot.clusters)) {
      const text = JSON.stringify(config);
      const known = before === undefined ? undefined : before.#clusters.get(key);
      this.#clusters.set(key, known && known.text === text ? known : { text, config });
    }
    for (const [key, table] of Object.entries(snapshot.routeTables)) {
      const text = JSON.stringify(table);
      const known = before === undefined ? undefined : before.#routes.get(key);
      if (known && known.text === text) this.#routes.set(key, known);
      else
        try {
          this.#routes.set(key, { text, table: new CompiledRouteTable(table) });
        } catch (error) {
          // One bad expression must not stop everything else: these routes stay as they were.
          this.problems.push(`routes ${key}: ${messageOf(error)}`);
          if (known) this.#routes.set(key, known);
        }
    }
  }

  routes(key: string): CompiledRouteTable | undefined {
    return this.#routes.get(key)?.table;
  }

  cluster(key: string): Cluster | undefined {
    return this.#clusters.get(key)?.config;
  }

  identity(key: string | undefined): Identity | undefined {
    return key === undefined ? undefined : this.snapshot.identities[key];
  }

  peerAt(address: string): WorkloadMetadata | undefined {
    return this.#byAddress.get(address);
  }

  metadataOf(id: string): WorkloadMetadata | undefined {
    return this.snapshot.metadata[id];
  }

  /** What metrics say of a workload; `spiffeId` is the identity that was proven, if any. */
  partyOf(metadata: WorkloadMetadata, spiffeId: string | undefined): Party {
    let byPrincipal = this.#parties.get(metadata);
    if (byPrincipal === undefined) {
      byPrincipal = new Map();
      this.#parties.set(metadata, byPrincipal);
    }
    const principal = spiffeId ?? 'unknown';
    let party = byPrincipal.get(principal);
    if (party === undefined) {
      party = {
        workload: metadata.workload || 'unknown',
        namespace: metadata.namespace || 'unknown',
        principal,
        app: metadata.app || 'unknown',
        version: metadata.version || 'unknown',
        canonicalService: metadata.canonicalService || 'unknown',
        canonicalRevision: metadata.canonicalRevision || 'latest',
        cluster: metadata.cluster || 'unknown',
      };
      byPrincipal.set(principal, party);
    }
    return party;
  }
}
