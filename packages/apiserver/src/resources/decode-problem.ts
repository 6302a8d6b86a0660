import { badRequest, type ResourceDefinition, type StatusError } from '@kind-e2e/kube-api';

/** A document that is not an object of its kind. The message is the decoder's, as Go's would say it. */
export class DecodeProblem extends Error {
  override readonly name = 'DecodeProblem';

  /** The answer to a create or update with such a body (`transformDecodeError`). */
  toStatus(definition: ResourceDefinition, raw: { readonly kind: string; readonly version: string }): StatusError {
    return badRequest(
      `${raw.kind || definition.kind} in version "${raw.version || definition.version}" cannot be handled as a ${definition.kind}: ${this.message}`,
    );
  }
}
