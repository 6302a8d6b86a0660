/** One finding about an object, as `istioctl analyze` prints it. */
export interface AnalysisMessage {
  /** `IST0101`; findings that Istio does not have are `KE…`. */
  readonly code: string;
  readonly name: string;
  readonly level: 'Error' | 'Warning' | 'Info';
  readonly message: string;
  readonly documentationUrl: string;
  readonly resource: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
  };
  /** Field that it concerns: `spec.http[0].route[0].destination.host`. */
  readonly path?: string;
}

/** The line that istioctl would print: `Error [IST0101] (VirtualService default/reviews) …`. */
export function formatMessage(message: AnalysisMessage): string {
  const { resource } = message;
  return `${message.level} [${message.code}] (${resource.kind} ${resource.namespace === '' ? '' : `${resource.namespace}/`}${resource.name}) ${message.message}`;
}
