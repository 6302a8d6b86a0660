import { Button, FileButton, TextInput } from '@mantine/core';
import { IconSearch, IconTrash, IconUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { hrefTo, useQueryState } from '../app/url-state.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import { Badge } from '../ui/Value.tsx';
import {
  bundledDashboards,
  clusterDashboards,
  forgetImported,
  importDashboard,
  importedDashboards,
} from './library.ts';

/** All dashboards: those that come with the lab, those of the cluster's ConfigMaps, those imported here. */
export function DashboardListPage() {
  const [filter, setFilter] = useQueryState('query');
  const [problem, setProblem] = useState<string>();
  const query = useQuery({
    queryKey: ['dashboards'],
    queryFn: async ({ signal }) => {
      const [own, cluster] = await Promise.all([
        bundledDashboards(),
        clusterDashboards(signal).catch((error: unknown) => ({
          entries: [],
          problems: [`ConfigMaps: ${error instanceof Error ? error.message : String(error)}`],
        })),
      ]);
      return { entries: [...importedDashboards(), ...cluster.entries, ...own], problems: cluster.problems };
    },
    staleTime: 10_000,
  });
  const onFile = (file: File | null): void => {
    if (file === null) return;
    setProblem(undefined);
    file
      .text()
      .then((text) => navigate(hrefTo(`/grafana/d/${importDashboard(text)}`)))
      .catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
  };
  return (
    <div className="page">
      <div className="page-head">
        <h1>Dashboards</h1>
        <div className="end">
          <TextInput
            size="xs"
            w={220}
            placeholder="Filter"
            aria-label="Filter dashboards"
            leftSection={<IconSearch size={14} />}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value, { replace: true })}
          />
          <FileButton onChange={onFile} accept="application/json,.json">
            {(props) => (
              <Button {...props} size="xs" variant="default" leftSection={<IconUpload size={15} />}>
                Import JSON
              </Button>
            )}
          </FileButton>
        </div>
      </div>
      {problem ? (
        <p role="alert" style={{ color: 'var(--bad)' }}>
          {problem}
        </p>
      ) : null}
      <QueryView query={query}>
        {({ entries, problems }) => {
          const shown = entries.filter((entry) =>
            `${entry.title} ${entry.tags.join(' ')}`.toLowerCase().includes(filter.toLowerCase()),
          );
          return (
            <section className="card scroll-x" aria-label="Dashboards">
              {shown.length === 0 ? (
                <Empty title="No dashboard of that name">
                  Import a dashboard's JSON, or label a ConfigMap with grafana_dashboard=1.
                </Empty>
              ) : (
                <table className="grid">
                  <thead>
                    <tr>
                      <th>Name</th>
                      <th>Tags</th>
                      <th>From</th>
                      <th>
                        <span className="visually-hidden">Actions</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {shown.map((entry) => (
                      <tr key={`${entry.source}/${entry.origin}/${entry.uid}`}>
                        <td>
                          <AppLink to={`/grafana/d/${entry.uid}`} data-row style={{ fontWeight: 600 }}>
                            {entry.title}
                          </AppLink>
                          {entry.description ? <div className="dim">{entry.description}</div> : null}
                        </td>
                        <td>
                          <span style={{ display: 'flex', gap: 4, flexWrap: 'wrap' }}>
                            {entry.tags.map((tag) => (
                              <Badge key={tag}>{tag}</Badge>
                            ))}
                          </span>
                        </td>
                        <td className="dim">{entry.origin}</td>
                        <td className="num">
                          {entry.source === 'imported' ? (
                            <Button
                              size="compact-xs"
                              variant="subtle"
                              color="gray"
                              leftSection={<IconTrash size={14} />}
                              onClick={() => {
                                forgetImported(entry.uid);
                                void query.refetch();
                              }}
                            >
                              Remove
                            </Button>
                          ) : null}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
              {problems.map((text) => (
                <p key={text} className="card-body" style={{ color: 'var(--warn)', margin: 0 }}>
                  {text}
                </p>
              ))}
            </section>
          );
        }}
      </QueryView>
    </div>
  );
}
