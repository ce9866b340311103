/**
 * Makes the mapper's options of an output's.
 */
import { parseTrendStat } from "../aggregate/trend-stat.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { createNameTemplate } from "../encode/name-templates.ts";
import type { MapperOptions, TrendForm } from "../encode/prometheus-mapper.ts";
import { relabel, type RelabelRule } from "../encode/relabel.ts";
import type { RunIdentity } from "../runs/run-identity.ts";
import type { Tags } from "../sample/sample.ts";

export function createMapperOptions(
  run: {
    readonly remoteWrite: RemoteWriteOptions;
    readonly identity: RunIdentity;
    readonly tags: Tags;
  },
  trendForm: TrendForm,
  relabelRules: readonly RelabelRule[],
): MapperOptions {
  const { remoteWrite, identity, tags } = run;
  return {
    runLabels: [
      { name: "testid", value: identity.testid },
      { name: "test", value: identity.test },
    ],
    extraTags: tags,
    trendForm,
    // The configuration has refused what does not parse.
    trendStats: remoteWrite.trendStats.flatMap((stat) => parseTrendStat(stat) ?? []),
    maxSeries: remoteWrite.maxSeries,
    nameTemplate: createNameTemplate(remoteWrite.nameTemplates),
    relabel: (labels) => relabel(labels, relabelRules),
  };
}
