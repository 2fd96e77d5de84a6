// SPDX-License-Identifier: Apache-2.0
import { Box, Group, Paper, Skeleton, Text, useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';
import type uPlot from 'uplot';
import classes from './TimeSeriesChart.module.css';
import { UPlotChart } from './UPlotChart';

export interface Line {
  key: string;
  name: string;
  values: readonly number[];
}

interface TimeSeriesChartProps {
  title: string;
  /** The figure that matters now; undefined while it loads. */
  headline: string | undefined;
  /** Unix time in seconds, evenly spaced. */
  times: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
  /** Shorter, for the axis. */
  formatTick: (value: number) => string;
  /** Charts with the same key move their cursors together. */
  syncKey?: string;
  height?: number;
}

/** Colours that keep apart in both colour schemes and for most colour-blind readers. */
const palette = {
  light: ['#0b7285', '#e8590c', '#5f3dc4', '#2b8a3e', '#c2255c', '#a17400', '#1864ab', '#5c5f66'],
  dark: ['#3bc9db', '#ffa94d', '#b197fc', '#69db7c', '#faa2c1', '#ffe066', '#74c0fc', '#adb5bd'],
};

/** Lines over time with a legend that carries each line's newest value. */
export function TimeSeriesChart({
  title,
  headline,
  times,
  lines,
  format,
  formatTick,
  syncKey,
  height = 150,
}: TimeSeriesChartProps) {
  const scheme = useComputedColorScheme('light');
  const colors = palette[scheme];
  const names = JSON.stringify(lines.map(({ name }) => name));

  const options = useMemo(() => {
    const shown = JSON.parse(names) as string[];
    return chartOptions(shown, colors, scheme, format, formatTick, syncKey);
  }, [names, colors, scheme, format, formatTick, syncKey]);
  const data = useMemo<uPlot.AlignedData>(
    () => [[...times], ...lines.map(({ values }) => [...values])],
    [times, lines],
  );

  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Group justify="space-between" align="start" gap="xs" mb={4} className={classes.head}>
        <div>
          <Text size="xs" c="dimmed" fw={500} className={classes.figure}>
            {title}
          </Text>
          {headline === undefined ? (
            <Skeleton height={20} width={100} my={4} />
          ) : (
            <Text className={classes.headline} data-testid="headline">
              {headline}
            </Text>
          )}
        </div>
        {lines.length > 1 && <Legend lines={lines} colors={colors} format={format} />}
      </Group>
      <UPlotChart
        options={options}
        data={data}
        height={height}
        label={`${title}: ${lines.map((line) => `${line.name} ${format(line.values.at(-1) ?? 0)}`).join(', ')}`}
      />
    </Paper>
  );
}

interface LegendProps {
  lines: readonly Line[];
  colors: readonly string[];
  format: (value: number) => string;
}

function Legend({ lines, colors, format }: LegendProps) {
  return (
    <Group gap="sm" component="ul" className={classes.legend}>
      {lines.map((line, index) => (
        <Group key={line.key} gap={6} component="li" wrap="nowrap">
          <Box w={10} h={3} bg={colors[index % colors.length] ?? 'gray'} className={classes.swatch} />
          <Text size="xs" c="dimmed" className={classes.figure}>
            {line.name}
          </Text>
          <Text size="xs" fw={600} className={classes.figure}>
            {format(line.values.at(-1) ?? 0)}
          </Text>
        </Group>
      ))}
    </Group>
  );
}

function chartOptions(
  names: readonly string[],
  colors: readonly string[],
  scheme: 'light' | 'dark',
  format: (value: number) => string,
  formatTick: (value: number) => string,
  syncKey: string | undefined,
): Omit<uPlot.Options, 'width' | 'height'> {
  const ink = scheme === 'light' ? '#6b7683' : '#8b96a6';
  const grid = scheme === 'light' ? '#e9edf1' : '#222a35';
  const axis = {
    stroke: ink,
    font: "11px 'Inter Variable', system-ui, sans-serif",
    ticks: { show: false },
    grid: { stroke: grid, width: 1 },
  };
  return {
    legend: { show: false },
    padding: [8, 18, 0, 0],
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: false, y: false },
      ...(syncKey === undefined ? {} : { sync: { key: syncKey } }),
    },
    scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.15 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 70, values: (_plot, ticks) => ticks.map(clock) },
      { ...axis, size: 52, space: 34, values: (_plot, ticks) => ticks.map(formatTick) },
    ],
    series: [
      {},
      ...names.map((label, index) => {
        const stroke = colors[index % colors.length] ?? ink;
        return {
          label,
          stroke,
          width: 1.75,
          points: { show: false },
          ...(names.length <= 2 ? { fill: `${stroke}1f` } : {}),
        };
      }),
    ],
    plugins: [readout(format, colors)],
  };
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** A box beside the cursor with the time and each line's value there. */
function readout(format: (value: number) => string, colors: readonly string[]): uPlot.Plugin {
  const box = document.createElement('div');
  box.className = classes.readout ?? '';
  box.hidden = true;
  return {
    hooks: {
      init: (plot) => plot.over.append(box),
      setCursor: (plot) => {
        const { idx, left = -1 } = plot.cursor;
        const time = idx == null ? undefined : plot.data[0][idx];
        box.hidden = left < 0 || time === undefined || !plot.over.matches(':hover');
        if (box.hidden || idx == null || time === undefined) return;
        const moment = document.createElement('strong');
        moment.textContent = new Date(time * 1000).toLocaleTimeString('en-GB');
        const rows = plot.series.slice(1).map((series, index) => {
          const row = document.createElement('div');
          const swatch = document.createElement('i');
          swatch.style.background = colors[index % colors.length] ?? '';
          const name = typeof series.label === 'string' ? series.label : '';
          row.append(
            swatch,
            `${name} `,
            Object.assign(document.createElement('b'), {
              textContent: format(plot.data[index + 1]?.[idx] ?? 0),
            }),
          );
          return row;
        });
        box.replaceChildren(moment, ...rows);
        const flip = left > plot.over.clientWidth / 2;
        box.style.left = flip ? '' : `${left + 12}px`;
        box.style.right = flip ? `${plot.over.clientWidth - left + 12}px` : '';
      },
    },
  };
}
