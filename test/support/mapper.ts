/**
 * A mapper with nothing special about it, for tests that change one thing.
 */
import { type MapperOptions, PrometheusMapper } from "../../src/encode/prometheus-mapper.ts";

/** @param nextId Ids of the series. Default: from 0. */
export function createMapper(
  options: Partial<MapperOptions> = {},
  nextId: () => number = countUp(),
): PrometheusMapper {
  return new PrometheusMapper(
    {
      runLabels: [],
      extraTags: new Map(),
      trendForm: "native",
      trendStats: [],
      maxSeries: 1_000,
      relabel: (labels) => [...labels],
      ...options,
    },
    nextId,
  );
}

function countUp(): () => number {
  let id = 0;
  return () => id++;
}
