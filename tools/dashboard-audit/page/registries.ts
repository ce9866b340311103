/**
 * Fills the registries that Grafana's application fills at start. They are empty in the published libraries, and
 * where they are, overrides and transformations silently do nothing.
 *
 * The transformers are Grafana's own. `timeSeriesTable` lives in its application, not in a library: ours does the
 * part of it that a sparkline needs.
 */
import {
  type DataFrame,
  type DataTransformerInfo,
  type FieldConfigPropertyItem,
  FieldType,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  identityOverrideProcessor,
  numberOverrideProcessor,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from "@grafana/data";
import { map } from "rxjs";

type Process = FieldConfigPropertyItem["process"];

/** A property that `fieldConfig.defaults` and overrides may set; the editor is never shown. */
export function fieldProperty(id: string, process?: Process): FieldConfigPropertyItem {
  const keep = process ?? (identityOverrideProcessor as Process);
  const editor = () => null;
  return {
    id,
    path: id,
    name: id,
    editor,
    override: editor,
    process: keep,
    shouldApply: () => true,
  };
}

const standardProperties: [id: string, process?: Process][] = [
  ["unit", unitOverrideProcessor as Process],
  ["min", numberOverrideProcessor as Process],
  ["max", numberOverrideProcessor as Process],
  ["fieldMinMax"],
  ["decimals", numberOverrideProcessor as Process],
  ["displayName", displayNameOverrideProcessor as Process],
  ["noValue"],
  ["thresholds", thresholdsOverrideProcessor as Process],
  ["mappings", valueMappingsOverrideProcessor as Process],
  ["links", dataLinksOverrideProcessor as Process],
  ["actions"],
  ["color"],
  ["filterable"],
];

/** A row for each series: its labels, and the whole series in the column `Trend #A`. */
const timeSeriesTable: DataTransformerInfo = {
  id: "timeSeriesTable",
  name: "Time series to table",
  operator: () => (source) =>
    source.pipe(
      map((frames: DataFrame[]) => {
        const refIds = [...new Set(frames.map((frame) => frame.refId ?? "A"))];
        return refIds.map((refId) => {
          const rows = frames.filter((frame) => (frame.refId ?? "A") === refId);
          const valueOf = (frame: DataFrame) =>
            frame.fields.find((field) => field.type === FieldType.number);
          const labels = rows.map((frame) => valueOf(frame)?.labels ?? {});
          const names = [...new Set(labels.flatMap((row) => Object.keys(row)))];
          const columns = names.map((name) => ({
            name,
            type: FieldType.string,
            config: {},
            values: labels.map((row) => row[name] ?? ""),
          }));
          const trend = {
            name: `Trend #${refId}`,
            type: FieldType.frame,
            config: {},
            values: rows,
          };
          return { refId, length: rows.length, fields: [...columns, trend] };
        });
      }),
    ),
};

export function fillRegistries(): void {
  standardFieldConfigEditorRegistry.setInit(() =>
    standardProperties.map(([id, process]) => fieldProperty(id, process)),
  );
  const infos = [...Object.values(standardTransformers), timeSeriesTable] as DataTransformerInfo[];
  // joinByField is in the list twice: under its own name and under its old one.
  const unique = new Map(infos.map((info) => [info.id, info]));
  standardTransformersRegistry.setInit(() =>
    [...unique.values()].map((info) => ({
      id: info.id,
      name: info.name,
      editor: () => null,
      transformation: () => Promise.resolve(info),
      imageDark: "",
      imageLight: "",
    })),
  );
}
