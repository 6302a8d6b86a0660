/** A small line without axes; `values` are spread evenly. */
export function Sparkline({
  values,
  color,
  height = 34,
}: {
  values: readonly number[];
  color: string;
  height?: number;
}) {
  const known = values.filter(Number.isFinite);
  const max = Math.max(...known, 0);
  const min = Math.min(...known, 0);
  const span = max - min || 1;
  const points = values
    .map((value, index) => [(index / Math.max(values.length - 1, 1)) * 100, 30 - ((value - min) / span) * 27] as const)
    .filter(([, y]) => Number.isFinite(y));
  const line = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(2)} ${y.toFixed(2)}`).join('');
  return (
    <svg
      viewBox="0 0 100 32"
      preserveAspectRatio="none"
      width="100%"
      height={height}
      aria-hidden
      style={{ display: 'block' }}
    >
      {points.length > 1 ? (
        <>
          <path d={`${line}L${points.at(-1)?.[0] ?? 100} 32L${points[0]?.[0] ?? 0} 32Z`} fill={color} opacity={0.14} />
          <path d={line} fill="none" stroke={color} strokeWidth={1.6} vectorEffect="non-scaling-stroke" />
        </>
      ) : null}
    </svg>
  );
}
