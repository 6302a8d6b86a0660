import { Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useMemo } from 'react';
import { RESOURCES, type ResourceName } from '../api/kubernetes.ts';
import { useObjects } from '../api/queries.ts';
import { updateQuery, useQueryState } from '../app/url-state.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import classes from './cluster.module.css';
import { columnsOf } from './columns.tsx';
import { ALL_KINDS, KIND_GROUPS } from './kinds.ts';
import { ObjectDrawer } from './ObjectDrawer.tsx';
import { useUsage } from './useUsage.ts';
import { useWatchedObjects } from './useWatchedObjects.ts';

/** What the API server holds, kind by kind, kept up to date by watches. */
export function ClusterPage() {
  const [kindText] = useQueryState('kind', 'pods');
  const kind: ResourceName = (ALL_KINDS as readonly string[]).includes(kindText) ? (kindText as ResourceName) : 'pods';
  const resource = RESOURCES[kind];
  const [namespace, setNamespace] = useQueryState('namespace');
  const [filter, setFilter] = useQueryState('q');
  const [openName] = useQueryState('object');
  const namespaces = useObjects(RESOURCES.namespaces);
  const query = useWatchedObjects(resource, resource.namespaced && namespace !== '' ? namespace : undefined);
  const usage = useUsage(kind);
  const columns = columnsOf(kind, usage);
  const items = useMemo(() => {
    const wanted = filter.toLowerCase();
    const all = (query.data?.items ?? []).filter((item) =>
      JSON.stringify([item.metadata.name, item.metadata.namespace, item.metadata.labels, kind === 'events' ? item : ''])
        .toLowerCase()
        .includes(wanted),
    );
    if (kind === 'events')
      return all.sort((a, b) =>
        String(b.lastTimestamp ?? b.metadata.creationTimestamp).localeCompare(
          String(a.lastTimestamp ?? a.metadata.creationTimestamp),
        ),
      );
    return all.sort(
      (a, b) =>
        (a.metadata.namespace ?? '').localeCompare(b.metadata.namespace ?? '') ||
        a.metadata.name.localeCompare(b.metadata.name),
    );
  }, [query.data, filter, kind]);
  const [openNamespace = '', openObject = ''] = openName.includes('/') ? openName.split('/') : ['', openName];
  const open = query.data?.items.find(
    (item) => item.metadata.name === openObject && (item.metadata.namespace ?? '') === openNamespace,
  );

  return (
    <div className="page">
      <div className="page-head">
        <h1>Cluster</h1>
        <div className="end">
          {resource.namespaced ? (
            <Select
              size="xs"
              w={180}
              clearable
              placeholder="All namespaces"
              aria-label="Namespace"
              data={(namespaces.data ?? []).map((item) => item.metadata.name)}
              value={namespace || null}
              onChange={(value) => setNamespace(value ?? undefined)}
            />
          ) : null}
          <TextInput
            size="xs"
            w={220}
            placeholder="Name, label"
            aria-label="Filter"
            leftSection={<IconSearch size={14} />}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value, { replace: true })}
          />
        </div>
      </div>
      <div className={classes.layout}>
        <nav className={classes.kinds} aria-label="Kinds">
          {KIND_GROUPS.map((group) => (
            <div key={group.label} style={{ display: 'contents' }}>
              <h2>{group.label}</h2>
              {group.kinds.map((entry) => (
                <AppLink
                  key={entry.name}
                  to="/cluster"
                  params={{ kind: entry.name === 'pods' ? undefined : entry.name, namespace }}
                  aria-current={entry.name === kind}
                >
                  {entry.label}
                </AppLink>
              ))}
            </div>
          ))}
        </nav>
        <section className={`card scroll-x ${classes.list}`} aria-label={resource.kind}>
          <QueryView query={query}>
            {() =>
              items.length === 0 ? (
                <Empty
                  title={
                    filter === ''
                      ? `No ${resource.plural}${namespace ? ` in ${namespace}` : ''}`
                      : 'Nothing fits the filter'
                  }
                />
              ) : (
                <table className="grid">
                  <thead>
                    <tr>
                      {columns.map((column) => (
                        <th key={column.title} className={column.isNumber ? 'num' : ''}>
                          {column.title}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {items.slice(0, 1000).map((item) => (
                      <tr key={`${item.metadata.namespace}/${item.metadata.name}`} data-selected={item === open}>
                        {columns.map((column, index) => (
                          <td key={column.title} className={column.isNumber ? 'num' : ''}>
                            {index === 0 && kind !== 'events' ? (
                              <button
                                type="button"
                                data-row
                                className={classes.name}
                                onClick={() =>
                                  updateQuery({
                                    object: resource.namespaced
                                      ? `${item.metadata.namespace}/${item.metadata.name}`
                                      : item.metadata.name,
                                  })
                                }
                              >
                                {column.cell(item)}
                              </button>
                            ) : (
                              column.cell(item)
                            )}
                          </td>
                        ))}
                      </tr>
                    ))}
                  </tbody>
                </table>
              )
            }
          </QueryView>
        </section>
      </div>
      {openName !== '' && query.data !== undefined ? (
        <ObjectDrawer kind={kind} object={open} name={openName} onChanged={() => void query.refetch()} />
      ) : null}
    </div>
  );
}
