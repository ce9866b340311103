/**
 * The catalogue of everything that the pipeline, the exporters and the recording rules bring.
 *
 * In:  the folder with the recordings of real exporters (`test/golden/exporters/`), the folder with Prometheus' rules.
 * Out: the catalogue.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { Catalogue, parseRecording, unitOfName } from "./catalogue.ts";
import { answerOf } from "./labels.ts";
import { pipelineMetrics } from "./pipeline-metrics.ts";
import { parsePromql } from "./promql-tree.ts";

export interface CatalogueFolders {
  readonly recordings: string;
  /** Rule files; undefined where there are none. */
  readonly rules: string | undefined;
}

/** @throws Error where a file cannot be read, or there is no recording */
export async function readCatalogue({ recordings, rules }: CatalogueFolders): Promise<Catalogue> {
  const catalogue = new Catalogue();
  for (const entry of await pipelineMetrics()) catalogue.add(entry);
  const files = (await readdir(recordings)).filter((file) => file.endsWith(".txt"));
  if (files.length === 0)
    throw new Error(`no recordings of exporters in ${JSON.stringify(recordings)}`);
  for (const file of files) {
    for (const entry of parseRecording(await readFile(path.join(recordings, file), "utf8"))) {
      catalogue.add(entry);
    }
  }
  if (rules !== undefined) await addRecordingRules(catalogue, rules);
  return catalogue;
}

interface RuleFile {
  readonly groups?: readonly { readonly rules?: readonly Rule[] }[];
}

interface Rule {
  readonly record?: string;
  readonly expr?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** In the order of the files and of the rules in them: a rule may ask for what an earlier one records. */
async function addRecordingRules(catalogue: Catalogue, folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => /\.ya?ml$/.test(file)).toSorted();
  for (const file of files) {
    const { groups = [] } = parse(await readFile(path.join(folder, file), "utf8")) as RuleFile;
    for (const { record, expr = "", labels = {} } of groups.flatMap((group) => group.rules ?? [])) {
      const tree = record === undefined ? undefined : parsePromql(expr);
      if (record === undefined || !tree) continue;
      const all = new Set([...answerOf(tree, catalogue).labels, ...Object.keys(labels)]);
      catalogue.add({
        name: record,
        kind: "gauge",
        labels: all,
        unit: unitOfName(record, "gauge"),
      });
    }
  }
}
