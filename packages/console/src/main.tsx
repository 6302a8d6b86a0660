import './app/locale.ts';
import '@mantine/core/styles.css';
import './app/global.css';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { isApiError } from './api/http.ts';
import { App } from './app/App.tsx';
import { TimeProvider } from './app/TimeProvider.tsx';
import { cssVariablesResolver, theme } from './app/theme.ts';

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // A backend that restarts is back within seconds; what the user got wrong is not tried again.
      retry: (count, error) => count < 2 && isApiError(error) && (error.status === 0 || error.status >= 500),
      retryDelay: (attempt) => 400 * 2 ** attempt,
      staleTime: 2000,
      refetchOnWindowFocus: false,
    },
  },
});

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariablesResolver} defaultColorScheme="auto">
        <QueryClientProvider client={queryClient}>
          <TimeProvider>
            <App />
          </TimeProvider>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
