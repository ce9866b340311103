/**
 * A mapper with nothing special about it, for tests that change one thing.
 */
import { type MapperOptions, PrometheusMapper } from "../../src/encode/prometheus-mapper.ts";

export function createMapper(options: Partial<MapperOptions> = {}): PrometheusMapper {
  let id = 0;
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
    () => id++,
  );
}
