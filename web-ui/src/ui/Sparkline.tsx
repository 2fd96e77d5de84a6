// SPDX-License-Identifier: Apache-2.0
interface SparklineProps {
  values: readonly number[];
  width?: number;
  height?: number;
  color?: string;
}

/** A small line without axes; decoration beside a figure, hence hidden from assistive technology. */
export function Sparkline({ values, width = 72, height = 22, color = 'var(--weir-line)' }: SparklineProps) {
  const top = Math.max(...values, 0);
  if (values.length < 2 || top === 0) return <svg aria-hidden width={width} height={height} />;
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * width;
    const y = height - 2 - (value / top) * (height - 4);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg aria-hidden width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
      <polygon points={`0,${height} ${points.join(' ')} ${width},${height}`} fill={color} opacity={0.12} />
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke={color}
        strokeWidth={1.5}
        strokeLinejoin="round"
      />
    </svg>
  );
}
