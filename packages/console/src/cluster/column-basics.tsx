import type { ReactNode } from 'react';
import type { KubeObject } from '../api/kubernetes.ts';
import { Age } from '../ui/Time.tsx';

export interface Column {
  title: string;
  isNumber?: boolean;
  cell: (item: KubeObject) => ReactNode;
}

export const NAME: Column = { title: 'Name', cell: (item) => item.metadata.name };
export const NAMESPACE: Column = {
  title: 'Namespace',
  cell: (item) => <span className="nowrap">{item.metadata.namespace}</span>,
};
export const AGE: Column = {
  title: 'Age',
  isNumber: true,
  cell: (item) => <Age since={item.metadata.creationTimestamp} />,
};
