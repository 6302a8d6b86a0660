import { useQuery } from '@tanstack/react-query';
import { getJson } from '../api/http.ts';
import { QueryView } from '../ui/States.tsx';
import { milliseconds, msToUs } from '../units/brands.ts';
import { formatDuration } from '../units/format.ts';
import { testsAnswer } from './jenkins.ts';

/** How the tests of a build went; those that failed with what they say. */
export function TestResults({ base, count }: { base: string; count: number }) {
  const query = useQuery({
    queryKey: ['jenkins-tests', base, count],
    queryFn: ({ signal }) => getJson(`${base}/testReport/api/json`, testsAnswer, { signal }),
  });
  return (
    <QueryView query={query}>
      {({ passCount, failCount, skipCount, suites }) => {
        const cases = suites.flatMap((suite) => suite.cases.map((one) => ({ ...one, suite: suite.name })));
        const failed = cases.filter(({ status }) => status === 'FAILED' || status === 'REGRESSION');
        return (
          <section aria-label="Tests">
            <p style={{ margin: '0 0 6px' }}>
              <strong>Tests</strong>: {passCount} passed, {failCount} failed, {skipCount} skipped
            </p>
            {failed.map((one) => (
              <details key={`${one.suite}/${one.className}/${one.name}`} open>
                <summary>
                  {one.className} › {one.name}
                </summary>
                <pre style={{ margin: '4px 0 8px 16px', fontSize: 12, whiteSpace: 'pre-wrap' }}>
                  {one.errorDetails ?? 'failed'}
                </pre>
              </details>
            ))}
            <details>
              <summary>All {cases.length} tests</summary>
              <table className="grid" aria-label="All tests">
                <tbody>
                  {cases.map((one) => (
                    <tr key={`${one.suite}/${one.className}/${one.name}`}>
                      <td>{one.name}</td>
                      <td>{one.status.toLowerCase()}</td>
                      <td className="num">{formatDuration(msToUs(milliseconds(one.duration * 1_000)))}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </details>
          </section>
        );
      }}
    </QueryView>
  );
}
