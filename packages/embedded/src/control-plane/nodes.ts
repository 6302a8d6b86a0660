/** The six nodes of a lab, in the order of their addresses. */
export interface LabNode {
  readonly index: number;
  readonly name: string;
  readonly role: 'control-plane' | 'worker';
}

export const NODES: readonly LabNode[] = [
  { index: 0, name: 'control-plane-1', role: 'control-plane' },
  { index: 1, name: 'control-plane-2', role: 'control-plane' },
  { index: 2, name: 'control-plane-3', role: 'control-plane' },
  { index: 3, name: 'worker-1', role: 'worker' },
  { index: 4, name: 'worker-2', role: 'worker' },
  { index: 5, name: 'worker-3', role: 'worker' },
];
