import { ActionIcon, Button, Menu, Tooltip } from '@mantine/core';
import { IconChevronDown, IconRefresh, IconSearch } from '@tabler/icons-react';
import { useIsFetching } from '@tanstack/react-query';
import classes from './frame.module.css';
import { REFRESH_CHOICES, useTime } from './TimeProvider.tsx';
import { TimeRangePicker } from './TimeRangePicker.tsx';

export function TopBar({ onSearch }: { onSearch: () => void }) {
  const time = useTime();
  const isFetching = useIsFetching() > 0;
  return (
    <header className={classes.top}>
      <button
        type="button"
        className={classes.search}
        onClick={onSearch}
        aria-label="Search: trace id, service, pod or command"
      >
        <IconSearch size={16} stroke={1.8} aria-hidden />
        <span className="ellipsis">Trace id, service, pod or command</span>
        <kbd>/</kbd>
      </button>
      <div className={classes.topEnd}>
        <TimeRangePicker />
        <Button.Group>
          <Tooltip label="Refresh now (r)">
            <ActionIcon
              variant="default"
              size={34}
              onClick={time.refreshNow}
              aria-label="Refresh now"
              style={{ borderRadius: '7px 0 0 7px' }}
            >
              <IconRefresh size={16} stroke={1.8} style={isFetching ? { opacity: 0.55 } : undefined} />
            </ActionIcon>
          </Tooltip>
          <Menu position="bottom-end" width={130}>
            <Menu.Target>
              <Button
                variant="default"
                h={34}
                px={8}
                fw={500}
                fz={12.5}
                rightSection={<IconChevronDown size={14} />}
                aria-label={`Refresh interval: ${time.refresh}`}
              >
                <span style={{ minWidth: 22, textAlign: 'center' }}>
                  {time.refresh === 'off' ? 'Off' : time.refresh}
                </span>
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>Refresh every</Menu.Label>
              {REFRESH_CHOICES.map((choice) => (
                <Menu.Item
                  key={choice}
                  onClick={() => time.setRefresh(choice)}
                  fw={choice === time.refresh ? 650 : 400}
                >
                  {choice === 'off' ? 'Off' : choice}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        </Button.Group>
      </div>
    </header>
  );
}
