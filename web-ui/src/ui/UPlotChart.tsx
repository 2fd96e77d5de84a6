// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

interface UPlotChartProps {
  /** Without size; a new object builds the chart anew, so keep it stable between data updates. */
  options: Omit<uPlot.Options, 'width' | 'height'>;
  data: uPlot.AlignedData;
  height: number;
  /** Says in words what the picture shows. */
  label: string;
}

/** A uPlot chart as wide as its parent. */
export function UPlotChart({ options, data, height, label }: UPlotChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const latest = useRef(data);

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const plot = new uPlot({ ...options, width: element.clientWidth, height }, latest.current, element);
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
      chart.current = null;
    };
  }, [options, height]);

  useEffect(() => {
    latest.current = data;
    chart.current?.setData(data);
  }, [data]);

  return <div ref={holder} role="img" aria-label={label} style={{ height, width: '100%', minWidth: 0 }} />;
}
