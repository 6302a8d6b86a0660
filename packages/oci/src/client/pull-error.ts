import { LabError } from '@kind-e2e/base';

/** gRPC codes with which a container runtime reports a failed pull, and which the kubelet prints. */
export type PullErrorCode = 'NotFound' | 'Unknown' | 'PermissionDenied' | 'Unavailable' | 'FailedPrecondition';

/** A pull that failed; the message is containerd's: `failed to pull and unpack image "…": …`. */
export class PullError extends LabError {
  readonly grpcCode: PullErrorCode;

  constructor(image: string, grpcCode: PullErrorCode, reason: string, cause?: unknown) {
    super(`failed to pull and unpack image "${image}": ${reason}`, { code: 'IMAGE_PULL_FAILED', side: 'user', cause });
    this.name = 'PullError';
    this.grpcCode = grpcCode;
  }
}
