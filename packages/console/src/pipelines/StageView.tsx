import { Badge, type Tone } from '../ui/Value.tsx';
import { milliseconds, msToUs } from '../units/brands.ts';
import { formatDuration } from '../units/format.ts';
import type { Stage } from './jenkins.ts';

const TONES: Readonly<Record<string, Tone>> = {
  SUCCESS: 'ok',
  FAILED: 'bad',
  UNSTABLE: 'warn',
  IN_PROGRESS: 'accent',
  PAUSED_PENDING_INPUT: 'warn',
};
const BARS: Readonly<Record<Tone, string>> = {
  ok: 'var(--ok)',
  warn: 'var(--warn)',
  bad: 'var(--bad)',
  accent: 'var(--accent)',
  plain: 'var(--line)',
};

/** Stages with result, agent and time; the bars stand where in the build each ran. */
export function StageView({ stages, nowMs }: { stages: readonly Stage[]; nowMs: number }) {
  const ran = stages.filter(({ status }) => status !== 'NOT_EXECUTED');
  const startMs = Math.min(...ran.map((stage) => stage.startTimeMillis));
  const tookMs = (stage: Stage): number =>
    stage.status === 'IN_PROGRESS' || stage.status === 'PAUSED_PENDING_INPUT'
      ? Math.max(0, nowMs - stage.startTimeMillis)
      : stage.durationMillis;
  const spanMs = Math.max(1, ...ran.map((stage) => stage.startTimeMillis + tookMs(stage) - startMs));
  return (
    <div className="scroll-x">
      <table className="grid" aria-label="Stages">
        <thead>
          <tr>
            <th>Stage</th>
            <th>Result</th>
            <th>Agent</th>
            <th className="num">Took</th>
            <th style={{ width: '30%', minWidth: 120 }}>When</th>
          </tr>
        </thead>
        <tbody>
          {stages.map((stage) => {
            const tone = TONES[stage.status] ?? 'plain';
            const isSkipped = stage.status === 'NOT_EXECUTED';
            return (
              <tr key={stage.id} data-stage={stage.name}>
                <td style={{ paddingLeft: 14 + 16 * depthOf(stage, stages) }} className={isSkipped ? 'dim' : undefined}>
                  {stage.name}
                </td>
                <td>
                  <Badge tone={tone} {...(stage.error ? { title: stage.error.message } : {})}>
                    {stage.status.toLowerCase().replaceAll('_', ' ')}
                  </Badge>
                </td>
                <td className="nowrap">{stage.execNode}</td>
                <td className="num">{isSkipped ? '–' : formatDuration(msToUs(milliseconds(tookMs(stage))))}</td>
                <td>
                  {isSkipped ? null : (
                    <div
                      aria-hidden
                      style={{
                        height: 8,
                        borderRadius: 4,
                        minWidth: 2,
                        background: BARS[tone],
                        marginLeft: `${(100 * (stage.startTimeMillis - startMs)) / spanMs}%`,
                        width: `${Math.max(0.5, (100 * tookMs(stage)) / spanMs)}%`,
                      }}
                    />
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function depthOf(stage: Stage, all: readonly Stage[]): number {
  const parent = all.find((one) => one.id === stage.parentId);
  return parent === undefined ? 0 : 1 + depthOf(parent, all);
}
