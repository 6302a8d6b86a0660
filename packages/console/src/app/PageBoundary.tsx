import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { ErrorState } from '../ui/States.tsx';

interface State {
  error: Error | undefined;
}

class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="page">
        <ErrorState error={this.state.error} />
        <div style={{ textAlign: 'center' }}>
          <Button onClick={() => window.location.reload()}>Load the page again</Button>
        </div>
      </div>
    );
  }
}

/** A fault in one page does not take the frame down; going elsewhere clears it. */
export function PageBoundary({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  return <Boundary key={path.split('/')[1] ?? ''}>{children}</Boundary>;
}
