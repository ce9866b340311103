/**
 * The form of a dashboard, whatever it asks: what every panel has, who it is in Grafana, and its variables.
 */
import { suggestion } from "../../config/suggest.ts";
import { at, type Finding } from "./finding.ts";
import { isBuiltIn, referencesIn } from "./interpolate.ts";
import { panelsOf, queryOf, variablesOf, type DashboardJson, type PanelJson } from "./model.ts";
import { isUnit } from "./units.ts";

/** `name` is the file's, without its ending. */
export function checkForm(name: string, dashboard: DashboardJson): Finding[] {
  const findings = dashboardProblems(name, dashboard).map((message) => ({ place: name, message }));
  for (const { place, panel } of panelsOf(name, dashboard)) {
    findings.push(...panelProblems(panel).map((message) => ({ place, message })));
  }
  return [...findings, ...variableFindings(name, dashboard)];
}

function dashboardProblems(name: string, dashboard: DashboardJson): string[] {
  const problems: string[] = [];
  const { uid, id, title = "", description = "", panels = [], __inputs: inputs = [] } = dashboard;
  if (uid !== `plimsoll-${name}`) {
    problems.push(
      `uid ${JSON.stringify(uid)}; expected "plimsoll-${name}": links and bookmarks go there`,
    );
  }
  if (id !== undefined && id !== null)
    problems.push(`id ${JSON.stringify(id)}; leave it out: each Grafana gives its own`);
  if (title === "" || description === "") problems.push("no title or no description");
  if (!inputs.some(({ pluginId }) => pluginId === "prometheus")) {
    problems.push(
      "no __inputs with a Prometheus: Grafana would not ask for the data source on import",
    );
  }
  const all = [...panels, ...panels.flatMap((panel) => panel.panels ?? [])];
  const ids = all.map((panel) => panel.id);
  const repeated = ids.filter(
    (panelId, index) => panelId === undefined || ids.indexOf(panelId) !== index,
  );
  if (repeated.length > 0) problems.push(`panels with the same id or none: ${repeated.join(", ")}`);
  if (panelsOf(name, dashboard).length === 0) problems.push("no panels");
  return problems;
}

const chosenDataSource = "${datasource}";

function panelProblems(panel: PanelJson): string[] {
  const problems: string[] = [];
  const { title = "", description = "", type = "", datasource, targets = [] } = panel;
  if (title.trim() === "") problems.push("no title");
  if (description.trim() === "")
    problems.push('no description: say what it shows, and, after "If", what to do');
  else if (type !== "text" && !/(^|[.:;]\s+)If\s/.test(description)) {
    problems.push(
      'the description has no sentence that begins with "If" and says what to do when it looks bad',
    );
  }
  if (datasource?.uid !== chosenDataSource) {
    problems.push(`data source ${JSON.stringify(datasource?.uid)}; expected "${chosenDataSource}"`);
  }
  if (type === "text") return problems;
  if (targets.length === 0) problems.push("asks nothing: no targets");
  const unit = panel.fieldConfig?.defaults?.unit ?? "";
  if (unit === "") problems.push("no unit");
  for (const text of [unit, ...overriddenUnits(panel)]) {
    if (text !== "" && !isUnit(text))
      problems.push(`unit ${JSON.stringify(text)}: Grafana has none of that name`);
  }
  for (const target of targets) {
    const { refId = "", legendFormat = "" } = target;
    if (legendFormat === "" || legendFormat === "__auto")
      problems.push(`query ${refId}: no legend`);
    if (target.datasource !== undefined && target.datasource.uid !== chosenDataSource) {
      problems.push(
        `query ${refId}: data source ${JSON.stringify(target.datasource.uid)}; expected "${chosenDataSource}"`,
      );
    }
  }
  const refIds = targets.map(({ refId }) => refId);
  if (new Set(refIds).size < refIds.length)
    problems.push(`two queries with the same refId: ${refIds.join(", ")}`);
  return problems;
}

const overriddenUnits = (panel: PanelJson): string[] =>
  (panel.fieldConfig?.overrides ?? []).flatMap(({ properties = [] }) =>
    properties.flatMap(({ id, value }) => (id === "unit" ? [String(value)] : [])),
  );

/** Variables that are named and not there, there and not named, or used in a way that cannot work. */
function variableFindings(name: string, dashboard: DashboardJson): Finding[] {
  const findings: Finding[] = [];
  const variables = variablesOf(dashboard);
  const names = variables.flatMap((variable) => variable.name ?? []);
  const used = new Set<string>();
  const { templating: _, __inputs: asked = [], ...rest } = dashboard;
  const inputs = asked.flatMap((input) => input.name ?? []);
  const texts: Text[] = [
    ...textsOf(rest, name),
    // Not its `definition`, which repeats the query for people, nor what is chosen at first.
    ...variables.flatMap((variable) =>
      textsOf(
        { query: queryOf(variable), regex: variable.regex, datasource: variable.datasource },
        at(name, `variable ${variable.name}`),
      ),
    ),
  ];
  for (const { place, text, isQuery } of texts) {
    for (const { name: wanted } of referencesIn(text)) {
      used.add(wanted);
      if (
        names.includes(wanted) ||
        inputs.includes(wanted) ||
        isBuiltIn(wanted, isQuery ? "query" : "text")
      )
        continue;
      const message = `no variable ${JSON.stringify(wanted)}${suggestion(wanted, names)}; there are ${names.join(", ")}`;
      findings.push({ place, message });
    }
    if (!isQuery) continue;
    for (const { name: several, multi = false, includeAll = false } of variables) {
      // Several values become a regular expression, which "=" compares with as it stands.
      const misused = new RegExp(`[^!=<>]!?=\\s*"[^"]*\\$\\{?${several}\\b`);
      if ((multi || includeAll) && misused.test(text)) {
        findings.push({
          place,
          message: `$${several} can have several values; match it with =~ instead of =`,
        });
      }
    }
  }
  for (const unused of names.filter((variable) => !used.has(variable))) {
    findings.push({
      place: at(name, `variable ${unused}`),
      message: "nothing names it; leave it out, or use it",
    });
  }
  return findings;
}

interface Text {
  readonly place: string;
  readonly text: string;
  readonly isQuery: boolean;
}

/** Every text inside of a value, with the panel and the query that it belongs to. */
function textsOf(value: unknown, place: string, key = ""): Text[] {
  if (typeof value === "string") {
    return [{ place, text: value, isQuery: key === "expr" || key === "query" }];
  }
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => textsOf(item, place, key));
  const { title, refId, gridPos } = value as {
    title?: unknown;
    refId?: unknown;
    gridPos?: unknown;
  };
  const part = typeof refId === "string" ? refId : gridPos !== undefined ? String(title) : "";
  return Object.entries(value).flatMap(([name, item]) => textsOf(item, at(place, part), name));
}
