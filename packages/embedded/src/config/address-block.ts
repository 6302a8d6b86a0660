import { createAddressPlan, FIRST_BLOCK, LAST_LAB_BLOCK, LabError } from '@kind-e2e/base';
import { preferredBlock } from './lab-config.ts';
import { isPortTaken } from './ports.ts';

/** A port of the kubelets, which every running lab holds on its first node's address: the mark of a taken block. */
export const KUBELET_PORT = 10250;

/** A block that no running lab has, the preferred one of this directory first. */
export async function chooseAddressBlock(dataDir: string): Promise<number> {
  const count = LAST_LAB_BLOCK - FIRST_BLOCK + 1;
  const first = preferredBlock(dataDir, FIRST_BLOCK, LAST_LAB_BLOCK);
  for (let i = 0; i < count; i++) {
    const block = FIRST_BLOCK + ((first - FIRST_BLOCK + i) % count);
    if (!(await isBlockTaken(block))) return block;
  }
  throw new LabError(`all ${count} loopback address blocks are taken by running labs`, {
    code: 'NO_ADDRESS_BLOCK',
    side: 'user',
    remedy: 'end one with: kind-e2e down --data-dir DIR',
  });
}

/** Throws where another running lab holds the block that this lab's stored addresses are from. */
export async function checkAddressBlock(block: number): Promise<void> {
  if (await isBlockTaken(block))
    throw new LabError(`the loopback addresses of this lab (block ${block}) are in use by another running lab`, {
      code: 'ADDRESS_BLOCK_TAKEN',
      side: 'user',
      remedy: 'end the other lab, or start this one anew with: kind-e2e down --purge',
    });
}

async function isBlockTaken(block: number): Promise<boolean> {
  return isPortTaken(createAddressPlan(block).nodeAddress(0), KUBELET_PORT).catch((error: unknown) => {
    throw new LabError('this system has only one loopback address; the embedded engine needs all of 127.0.0.0/8', {
      code: 'LOOPBACK_ADDRESSES',
      side: 'user',
      remedy: 'run `kind-e2e doctor`, which prints the command that adds them, or use --engine kind',
      cause: error,
    });
  });
}
