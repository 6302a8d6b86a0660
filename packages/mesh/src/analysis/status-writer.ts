import { type Clock, type Logger, messageOf, WorkQueue } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import type { ApiObject, KubeClient } from '@kind-e2e/kube-client';
import type { IstioStatus } from '../world/objects.ts';
import { nameOf, namespaceOf, type World } from '../world/world.ts';
import { ISTIO_KINDS, resourceOfKind } from './kinds.ts';
import type { AnalysisMessage } from './message.ts';

type StatusObject = ApiObject & { status?: IstioStatus };

const SETTLE_MS = 250;

/** Writes findings into `status.validationMessages` of the objects they are about, where they differ from what is there. */
export class StatusWriter implements AsyncDisposable {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #queue: WorkQueue;
  #messages: () => readonly AnalysisMessage[] = () => [];
  #world: World | undefined;
  #timer: Disposable | undefined;

  constructor(options: { client: KubeClient; clock: Clock; logger: Logger }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#queue = new WorkQueue((key) => this.#write(key), {
      clock: options.clock,
      logger: options.logger,
      concurrency: 2,
    });
  }

  update(messages: () => readonly AnalysisMessage[], world: World): void {
    this.#messages = messages;
    this.#world = world;
    this.#timer ??= this.#clock.after(SETTLE_MS, () => {
      this.#timer = undefined;
      this.#compare();
    });
  }

  #compare(): void {
    const wanted = this.#wanted();
    for (const [kind, object] of this.#objects()) {
      const key = `${kind}/${namespaceOf(object)}/${nameOf(object)}`;
      const want = wanted.get(key) ?? [];
      if (JSON.stringify(object.status?.validationMessages ?? []) !== JSON.stringify(want)) this.#queue.add(key);
    }
  }

  #objects(): [string, StatusObject][] {
    const world = this.#world;
    if (world === undefined) return [];
    return ISTIO_KINDS.flatMap(({ kind, part }) =>
      (world[part] as readonly StatusObject[]).map((object): [string, StatusObject] => [kind, object]),
    );
  }

  #wanted(): Map<string, NonNullable<IstioStatus['validationMessages']>> {
    const found = new Map<string, NonNullable<IstioStatus['validationMessages']>>();
    for (const message of this.#messages()) {
      const { resource } = message;
      const key = `${resource.kind}/${resource.namespace}/${resource.name}`;
      const list = found.get(key) ?? [];
      list.push({
        type: { code: message.code, name: message.name },
        level: message.level.toUpperCase() as 'ERROR' | 'WARNING' | 'INFO',
        documentationUrl: message.documentationUrl,
        message: message.message,
      });
      found.set(key, list);
    }
    return found;
  }

  async #write(key: string): Promise<undefined> {
    const [kind = '', namespace = '', name = ''] = key.split('/');
    const resource = resourceOfKind(kind);
    if (resource === undefined) return;
    const validationMessages = this.#wanted().get(key) ?? [];
    try {
      await this.#client.patch(
        resource,
        { name, namespace },
        'merge',
        { status: { validationMessages } },
        { subresource: 'status', fieldManager: 'istiod' },
      );
    } catch (error) {
      if (isStatusError(error, 404)) return;
      if (isStatusError(error, 409) || !isStatusError(error)) throw error;
      this.#logger.warn('status not written', { kind, namespace, name, reason: messageOf(error) });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#queue[Symbol.asyncDispose]();
  }
}
