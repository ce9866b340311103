/**
 * The page that the audit opens in Chromium: connects Grafana's libraries to one Prometheus and offers
 * `window.audit(job)`, which draws a dashboard and answers what a person would see.
 *
 * What Grafana's application sets before its first page, this sets: data source, template and query services, plugin
 * utilities, registries. Boot data is in index.html, because @grafana/runtime reads it while it is imported.
 */
import {
  type DataSourceApi,
  type DataSourceInstanceSettings,
  EventBusSrv,
  LoadingState,
  type PanelData,
  PluginType,
  type ScopedVars,
  ThemeContext,
} from "@grafana/data";
import { initPluginTranslations } from "@grafana/i18n";
import {
  config,
  setAppEvents,
  setDataSourceSrv,
  setPluginImportUtils,
  setRunRequest,
  setTemplateSrv,
} from "@grafana/runtime";
import { type SceneObject, sceneGraph } from "@grafana/scenes";
import { GlobalStyles, PortalContainer } from "@grafana/ui";
import { createRoot } from "react-dom/client";
import { MemoryRouter } from "react-router-dom";
import { catchError, from, map, of, startWith } from "rxjs";
import { type Job, toScene } from "./convert";
import { checkDashboard } from "./findings";
import { inspect, isSettled } from "./inspect";
import { registerPanels } from "./panels";
import { PrometheusApi } from "./prometheus";
import { fillRegistries } from "./registries";
import type { DashboardReport } from "./report";

declare global {
  interface Window {
    audit: (job: Job & { scrapeInterval: string; timeoutMs: number }) => Promise<DashboardReport>;
  }
}

function connect(prometheus: PrometheusApi, settings: DataSourceInstanceSettings): void {
  setDataSourceSrv({
    get: () => Promise.resolve(prometheus as DataSourceApi),
    getList: () => [settings],
    getInstanceSettings: () => settings,
    reload: () => Promise.resolve(),
    registerRuntimeDataSource: () => undefined,
  });
  setTemplateSrv({
    getVariables: () => [],
    replace: (target = "", scopedVars: ScopedVars = {}, format) => {
      const object = scopedVars["__sceneObject"]?.value as { valueOf(): SceneObject } | undefined;
      if (!object) return target;
      return sceneGraph.interpolate(object.valueOf(), target, scopedVars, format as string);
    },
    containsTemplate: (target = "") => target.includes("$"),
    updateTimeRange: () => undefined,
  });
  setRunRequest((source, request) => {
    const panel = { series: [], timeRange: request.range, request };
    return from(source.query(request)).pipe(
      map((answer): PanelData => {
        const state = answer.errors ? LoadingState.Error : LoadingState.Done;
        return { ...panel, ...answer, series: answer.data, state };
      }),
      catchError((error: Error) =>
        of({ ...panel, state: LoadingState.Error, errors: [{ message: error.message }] }),
      ),
      startWith({ ...panel, state: LoadingState.Loading }),
    );
  });
  setAppEvents(new EventBusSrv());
  setPluginImportUtils({
    importPanelPlugin: (id) => Promise.reject(new Error(`no panel type ${JSON.stringify(id)}`)),
    getPanelPluginFromCache: () => undefined,
  });
}

window.audit = async ({ scrapeInterval, timeoutMs, ...job }) => {
  const settings = {
    id: 1,
    uid: "prometheus",
    name: "Prometheus",
    type: "prometheus",
    meta: { id: "prometheus", name: "Prometheus", type: PluginType.datasource, metrics: true },
    jsonData: {},
    isDefault: true,
  } as DataSourceInstanceSettings;
  const prometheus = new PrometheusApi(settings, scrapeInterval);
  connect(prometheus, settings);
  await initPluginTranslations("grafana-scenes");
  fillRegistries();
  registerPanels();
  const { scene, unsupported } = toScene(job);
  createRoot(document.getElementById("root")!).render(
    <ThemeContext.Provider value={config.theme2}>
      <GlobalStyles />
      <MemoryRouter>
        <div
          id="dashboard"
          style={{ padding: 16, background: config.theme2.colors.background.canvas }}
        >
          <h1 style={{ fontSize: 20, margin: 0 }}>{job.dashboard.title}</h1>
          <scene.Component model={scene} />
        </div>
        <PortalContainer />
      </MemoryRouter>
    </ThemeContext.Provider>,
  );
  const deadline = performance.now() + timeoutMs;
  // Settled in several looks on end: a variable's new value starts queries after the last ones have ended.
  for (let quiet = 0; quiet < 5 && performance.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    quiet = isSettled(scene) ? quiet + 1 : 0;
  }
  await document.fonts.ready;
  const report = inspect(job.dashboard, scene);
  return checkDashboard({ job, scene, report, unsupported, prometheus });
};
