import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconAlertTriangle, IconDotsVertical, IconInfoCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { hrefTo, updateQuery } from '../app/url-state.ts';
import { traceOfExemplar, typeOfSource } from '../signals/mapping.ts';
import { Empty, ErrorState, SkeletonBlock } from '../ui/States.tsx';
import { formatUnitText } from '../units/format.ts';
import classes from './dashboard.module.css';
import type { BasePanel } from './model.ts';
import { PanelBody } from './panels/PanelBody.tsx';
import { isPanelType, unsupportedIn } from './support.ts';
import type { Annotation } from './useAnnotations.ts';
import { type PanelData, usePanelData } from './usePanelData.ts';
import { type InterpolationContext, interpolate } from './variables.ts';

const HEAD_PX = 34;
const BODY_PADDING_PX = 8;
const MAX_EXEMPLARS_IN_MENU = 8;

interface Props {
  panel: BasePanel;
  context: InterpolationContext;
  annotations: readonly Annotation[];
  height: number;
  /** What the address calls the panel when it is looked at alone; undefined where it is alone already. */
  viewKey: string | undefined;
}

/** Title, menu, what is not supported, and the body of a panel. */
export function PanelFrame({ panel, context, annotations, height, viewKey }: Props) {
  const { ref, height: measured } = useElementSize();
  const query = usePanelData(panel, context);
  const notes = [...unsupportedIn(panel), ...(query.data?.notes ?? [])];
  const title = interpolate(panel.title, context);
  const bodyHeight = Math.max((measured || height) - HEAD_PX - BODY_PADDING_PX, 40);
  const isScrolling = ['table', 'table-old', 'logs', 'traces'].includes(panel.type);
  return (
    <section
      ref={ref}
      className={`card ${classes.panel}`}
      data-transparent={panel.transparent ?? false}
      style={{ height: '100%', minHeight: height }}
      aria-label={title || panel.type}
      data-panel={title}
    >
      <header className={classes.head}>
        <h2 className="ellipsis">{title}</h2>
        {panel.description ? (
          <Tooltip label={panel.description} multiline maw={320}>
            <IconInfoCircle size={14} color="var(--ink-3)" aria-label={panel.description} />
          </Tooltip>
        ) : null}
        <span className={classes.icons}>
          {notes.length > 0 ? (
            <Tooltip label={notes.join(' ')} multiline maw={360} events={{ hover: true, focus: true, touch: true }}>
              <ActionIcon
                variant="subtle"
                color="yellow"
                size="sm"
                aria-label={`Not shown as written: ${notes.join(' ')}`}
              >
                <IconAlertTriangle size={15} />
              </ActionIcon>
            </Tooltip>
          ) : null}
          {panel.type === 'text' ? null : (
            <PanelMenu panel={panel} context={context} data={query.data} viewKey={viewKey} />
          )}
        </span>
      </header>
      <div className={classes.body} data-scroll={isScrolling}>
        <Content panel={panel} query={query}>
          {(data) => (
            <PanelBody panel={panel} data={data} context={context} annotations={annotations} height={bodyHeight} />
          )}
        </Content>
      </div>
    </section>
  );
}

function Content({
  panel,
  query,
  children,
}: {
  panel: BasePanel;
  query: ReturnType<typeof usePanelData>;
  children: (data: PanelData) => ReactNode;
}) {
  if (!isPanelType(panel.type))
    return (
      <Empty compact title={`Panels of type “${panel.type}” are not shown`}>
        The queries run; open them in Explore by the menu.
      </Empty>
    );
  if (panel.type === 'text')
    return children({ frames: [], lines: [], traces: [], exemplars: [], notes: [], stepSeconds: 15 });
  if (query.data !== undefined) {
    const { frames, lines, traces } = query.data;
    if (frames.length + lines.length + traces.length === 0)
      return <Empty compact title={panel.fieldConfig?.defaults?.noValue ?? 'No data in this time'} />;
    return children(query.data);
  }
  if (query.isError) return <ErrorState error={query.error} compact onRetry={() => void query.refetch()} />;
  if ((panel.targets ?? []).length === 0) return <Empty compact title="This panel has no query" />;
  return <SkeletonBlock height="100%" />;
}

function PanelMenu({
  panel,
  context,
  data,
  viewKey,
}: {
  panel: BasePanel;
  context: InterpolationContext;
  data: PanelData | undefined;
  viewKey: string | undefined;
}) {
  const target = panel.targets?.[0];
  const uid = target?.datasource?.uid ?? panel.datasource?.uid;
  const type = (uid ? typeOfSource(interpolate(uid, context)) : undefined) ?? 'prometheus';
  const expr = interpolate(target?.expr ?? '', context);
  const slowest = [...(data?.exemplars ?? [])].sort((a, b) => b.value - a.value).slice(0, MAX_EXEMPLARS_IN_MENU);
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Menu of ${panel.title}`}>
          <IconDotsVertical size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {viewKey === undefined ? null : (
          <Menu.Item onClick={() => updateQuery({ viewPanel: viewKey })}>View alone</Menu.Item>
        )}
        {expr !== '' && type !== 'jaeger' ? (
          <Menu.Item onClick={() => navigate(hrefTo('/grafana/explore', { ds: type, expr }))}>
            Open in Explore
          </Menu.Item>
        ) : null}
        {(panel.links ?? []).map((link) =>
          link.url ? (
            <Menu.Item key={link.url} component="a" href={interpolate(link.url, context)}>
              {link.title ?? link.url}
            </Menu.Item>
          ) : null,
        )}
        {slowest.length > 0 ? <Menu.Label>Slowest traces of this panel</Menu.Label> : null}
        {slowest.map((exemplar) => {
          const trace = traceOfExemplar(exemplar.labels);
          return trace ? (
            <Menu.Item key={`${trace}${exemplar.at}`} onClick={() => navigate(hrefTo(`/jaeger/trace/${trace}`))}>
              {formatUnitText(exemplar.value, panel.fieldConfig?.defaults?.unit)}{' '}
              <span className="mono dim">{trace.slice(0, 12)}</span>
            </Menu.Item>
          ) : null;
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
