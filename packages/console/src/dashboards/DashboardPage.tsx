import { Button } from '@mantine/core';
import { IconArrowLeft, IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useParams, useSearch } from 'wouter';
import { useTime } from '../app/TimeProvider.tsx';
import { hrefTo, updateQuery, useQueryState } from '../app/url-state.ts';
import { DATA_SOURCES } from '../signals/mapping.ts';
import { parseDuration, stepFor } from '../time/range.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Empty, QueryView, SkeletonBlock } from '../ui/States.tsx';
import { Badge } from '../ui/Value.tsx';
import { count } from '../units/format.ts';
import classes from './dashboard.module.css';
import { layOut, type PlacedRow } from './layout.ts';
import { findDashboard } from './library.ts';
import type { Dashboard } from './model.ts';
import { PanelFrame } from './PanelFrame.tsx';
import { unsupportedVariables } from './support.ts';
import { useAnnotations } from './useAnnotations.ts';
import { useVariables } from './useVariables.ts';
import { VariableBar } from './VariableBar.tsx';
import { type InterpolationContext, interpolate } from './variables.ts';

const ROW_PX = 40;
/** The least height of a panel that is looked at alone; it grows with the window. */
const ALONE_PX = 360;
const SCRAPE_SECONDS =
  (parseDuration(DATA_SOURCES.find((source) => source.type === 'prometheus')?.jsonData?.timeInterval ?? '5s') ?? 5000) /
  1000;

export function DashboardPage() {
  const { uid = '' } = useParams<{ uid: string }>();
  const query = useQuery({
    queryKey: ['dashboard', uid],
    queryFn: ({ signal }) => findDashboard(uid, signal),
    staleTime: 30_000,
  });
  return (
    <div className="page">
      <QueryView
        query={query}
        loading={<SkeletonBlock height={320} />}
        isEmpty={(dashboard) => dashboard === null}
        empty={
          <Empty title="No such dashboard" actions={<AppLink to="/grafana">All dashboards</AppLink>}>
            There is none with the uid {uid}.
          </Empty>
        }
      >
        {(dashboard) => (dashboard === null ? null : <DashboardView key={dashboard.uid} dashboard={dashboard} />)}
      </QueryView>
    </div>
  );
}

function DashboardView({ dashboard }: { dashboard: Dashboard }) {
  const { range } = useTime();
  const variables = dashboard.templating?.list ?? [];
  const stepSeconds = stepFor(range, 240, SCRAPE_SECONDS);
  const state = useVariables(variables, { range, stepSeconds, scrapeSeconds: SCRAPE_SECONDS });
  const context = useMemo<InterpolationContext>(
    () => ({
      values: state.values,
      variables,
      options: state.options,
      range,
      stepSeconds,
      scrapeSeconds: SCRAPE_SECONDS,
    }),
    [state.values, state.options, variables, range, stepSeconds],
  );
  const annotations = useAnnotations(dashboard.annotations?.list ?? [], context);
  const rows = layOut(dashboard.panels, context);
  const [viewed] = useQueryState('viewPanel');
  const alone = rows.flatMap((row) => row.panels).find((placed) => placed.key === viewed);
  const notes = unsupportedVariables(variables);
  return (
    <>
      <div className="page-head">
        <h1>{dashboard.title}</h1>
        <span style={{ display: 'flex', gap: 4 }}>
          {dashboard.tags.map((tag) => (
            <Badge key={tag}>{tag}</Badge>
          ))}
        </span>
        <div className="end">
          <DashboardLinks dashboard={dashboard} context={context} />
        </div>
      </div>
      <VariableBar variables={variables} state={state} />
      {notes.map((note) => (
        <p key={note} style={{ margin: '0 0 8px' }}>
          <Badge tone="warn">{note}</Badge>
        </p>
      ))}
      {rows.length === 0 ? <Empty title="This dashboard has no panels" /> : null}
      {alone === undefined
        ? rows.map((row) => <DashboardRow key={row.key} row={row} context={context} annotations={annotations} />)
        : null}
      {alone === undefined ? null : (
        <section aria-label="One panel">
          <Button
            size="xs"
            variant="default"
            mb={8}
            leftSection={<IconArrowLeft size={15} />}
            onClick={() => updateQuery({ viewPanel: undefined })}
          >
            All panels
          </Button>
          <div className={classes.alone}>
            <PanelFrame
              panel={alone.panel}
              context={{ ...context, scoped: alone.scoped }}
              annotations={annotations}
              height={ALONE_PX}
              viewKey={undefined}
            />
          </div>
        </section>
      )}
    </>
  );
}

function DashboardLinks({ dashboard, context }: { dashboard: Dashboard; context: InterpolationContext }) {
  const search = useSearch();
  return (dashboard.links ?? []).map((link) => {
    if (!link.url) return null;
    const url = interpolate(link.url, context);
    const isOwn =
      url.startsWith('/grafana') || url.startsWith('/jaeger') || url.startsWith('/kiali') || url.startsWith('/cluster');
    const href = isOwn && link.keepTime ? hrefTo(url, {}, search) : url;
    return (
      <a key={`${link.title}${url}`} href={href} {...(link.targetBlank ? { target: '_blank', rel: 'noreferrer' } : {})}>
        {link.title ?? url}
      </a>
    );
  });
}

interface RowProps {
  row: PlacedRow;
  context: InterpolationContext;
  annotations: ReturnType<typeof useAnnotations>;
}

function DashboardRow({ row, context, annotations }: RowProps) {
  const [isOpen, setOpen] = useState(!row.isCollapsed);
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <section style={{ marginBottom: 8 }}>
      {row.row === undefined ? null : (
        <button type="button" className={classes.rowHead} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Chevron size={16} />
          {interpolate(row.title, { ...context, scoped: row.scoped })}
          {isOpen ? null : (
            <span className="dim" style={{ fontWeight: 400 }}>
              {count(row.panels.length, 'panel')}
            </span>
          )}
        </button>
      )}
      {isOpen ? (
        <div className={classes.grid}>
          {row.panels.map((placed) => (
            <div
              key={placed.key}
              style={{
                gridColumn: `${placed.x + 1} / span ${placed.w}`,
                gridRow: `${placed.y + 1} / span ${placed.h}`,
                minWidth: 0,
                ['--height' as string]: `${placed.h * ROW_PX - 8}px`,
              }}
            >
              <PanelFrame
                panel={placed.panel}
                context={{ ...context, scoped: placed.scoped }}
                annotations={annotations}
                height={placed.h * ROW_PX - 8}
                viewKey={placed.key}
              />
            </div>
          ))}
        </div>
      ) : null}
    </section>
  );
}
