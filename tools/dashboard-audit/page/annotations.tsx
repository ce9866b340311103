/**
 * Draws annotations over a time series: a dashed line for a moment, a band and two lines for a span of time.
 */
import type { DataFrame } from "@grafana/data";
import { config } from "@grafana/runtime";
import type { UPlotConfigBuilder } from "@grafana/ui";
import { useLayoutEffect } from "react";
import uPlot from "uplot";

export function Annotations({
  builder,
  frames,
}: {
  builder: UPlotConfigBuilder;
  frames: DataFrame[];
}) {
  // The hook is there before the chart: a child's effects run before those of its parent.
  useLayoutEffect(() => {
    builder.addHook("draw", (chart) => {
      for (const frame of frames) drawFrame(chart, frame);
    });
  }, [builder, frames]);
  return null;
}

function drawFrame({ ctx, bbox, valToPos }: uPlot, frame: DataFrame) {
  const column = (name: string) => frame.fields.find((field) => field.name === name)?.values ?? [];
  const [starts, ends, colors] = [column("time"), column("timeEnd"), column("color")];
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (let index = 0; index < frame.length; index++) {
    const color = config.theme2.visualization.getColorByName(colors[index] ?? "blue");
    const left = valToPos(starts[index], "x", true);
    const right = valToPos(ends[index] ?? starts[index], "x", true);
    ctx.fillStyle = ctx.strokeStyle = color;
    ctx.lineWidth = 2 * uPlot.pxRatio;
    ctx.setLineDash([5, 5]);
    for (const x of new Set([left, right])) {
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.globalAlpha = 0.1;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.globalAlpha = 1;
  }
  ctx.restore();
}
