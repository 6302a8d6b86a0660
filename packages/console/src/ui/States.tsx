import { Button } from '@mantine/core';
import { IconAlertTriangle, IconInbox } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { isApiError } from '../api/http.ts';
import { clock } from '../time/clock.ts';
import classes from './states.module.css';

const SKELETON_DELAY_MS = 200;

/** Nothing for 200 ms, then the children: what is quick shows no skeleton. */
export function Delayed({ children }: { children: ReactNode }) {
  const [isShown, setShown] = useState(false);
  useEffect(() => clock.after(SKELETON_DELAY_MS, () => setShown(true)), []);
  return isShown ? children : null;
}

export function SkeletonBlock({ height, width = '100%' }: { height: number | string; width?: number | string }) {
  return (
    <div style={{ height, width }} aria-hidden data-loading>
      <Delayed>
        <div className={classes.skeleton} style={{ height: '100%' }} />
      </Delayed>
    </div>
  );
}

export function SkeletonRows({ rows = 6 }: { rows?: number }) {
  return (
    <div style={{ padding: 14, display: 'grid', gap: 12 }} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <SkeletonBlock key={index} height={16} width={`${92 - ((index * 17) % 40)}%`} />
      ))}
    </div>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  icon?: ReactNode;
  actions?: ReactNode;
  compact?: boolean;
}

/** Says what is missing, why, and what to do about it. */
export function Empty({ title, children, icon, actions, compact = false }: EmptyProps) {
  return (
    <div className={`${classes.state} ${compact ? classes.compact : ''}`}>
      {compact ? null : <div className={classes.icon}>{icon ?? <IconInbox size={22} stroke={1.6} />}</div>}
      <strong>{title}</strong>
      {children ? <p>{children}</p> : null}
      {actions ? <div className={classes.actions}>{actions}</div> : null}
    </div>
  );
}

export function ErrorState({
  error,
  onRetry,
  compact = false,
}: {
  error: unknown;
  onRetry?: () => void;
  compact?: boolean;
}) {
  const message = error instanceof Error ? error.message : String(error);
  const api = isApiError(error) ? error : undefined;
  return (
    <div className={`${classes.state} ${compact ? classes.compact : ''}`} role="alert">
      {compact ? null : (
        <div className={classes.icon} data-tone="bad">
          <IconAlertTriangle size={22} stroke={1.6} />
        </div>
      )}
      <strong>{message}</strong>
      {api?.hint ? <p>{api.hint}</p> : null}
      {api && !compact ? (
        <div className={classes.code}>
          {api.status > 0 ? `HTTP ${api.status} · ` : ''}
          {decodeURIComponent(api.url).slice(0, 200)}
        </div>
      ) : null}
      {onRetry ? (
        <div className={classes.actions}>
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        </div>
      ) : null}
    </div>
  );
}

interface QueryViewProps<T> {
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
  loading?: ReactNode;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  compact?: boolean;
}

/** Data if there is any (also while a refresh fails), else the error, else a skeleton. */
export function QueryView<T>({ query, children, loading, isEmpty, empty, compact = false }: QueryViewProps<T>) {
  if (query.data !== undefined) {
    if (isEmpty?.(query.data)) return empty ?? <Empty title="Nothing here yet" compact={compact} />;
    return children(query.data);
  }
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} compact={compact} />;
  return loading ?? <SkeletonRows rows={compact ? 3 : 6} />;
}
