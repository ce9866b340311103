/**
 * Correlation: was it the database? The client's view on top, below it each resource in the order of a request's path,
 * on one time axis. Each row has use, limit and waiting.
 */
import { annotation, runAnnotations } from "./annotations.ts";
import {
  answerSection,
  clientSection,
  slowAboveVariable,
  slowFactorVariable,
} from "./correlation-answer.ts";
import { applicationRow, generatorRow, poolRow } from "./correlation-application.ts";
import { mysqlRow, pgBouncerRow, postgresRow, redisRow } from "./correlation-databases.ts";
import { diskRow, hostCpuRow, hostMemoryRow, networkRow } from "./correlation-host.ts";
import { dashboard, type DashboardFile } from "./dashboard.ts";
import {
  histogramVariable,
  labelVariable,
  runVariable,
  systemVariables,
  testVariable,
} from "./variables.ts";

export function correlation(): DashboardFile {
  return dashboard({
    name: "correlation",
    title: "Correlation",
    description:
      "Was it the database? What clients saw, and each resource of the system under test on the same time axis.",
    variables: [
      testVariable(),
      runVariable(),
      ...systemVariables(),
      labelVariable({
        name: "neighbour",
        label: "Neighbours",
        description: "Instances of the exporters of PgBouncer, MySQL and Redis.",
        query: 'label_values({__name__=~"pgbouncer_up|mysql_up|redis_up"}, instance)',
        multiple: true,
      }),
      histogramVariable(),
      slowFactorVariable(),
      slowAboveVariable(),
    ],
    annotations: [
      ...runAnnotations(),
      annotation({
        name: "Faults of the example shop",
        expr: "max by (fault) (shop_fault_active) == 1",
        title: "{{fault}}",
        text: "a fault of the example shop was switched on",
        color: "orange",
      }),
    ],
    sections: [
      answerSection(),
      clientSection(),
      applicationRow(),
      poolRow(),
      pgBouncerRow(),
      postgresRow(),
      mysqlRow(),
      redisRow(),
      hostCpuRow(),
      hostMemoryRow(),
      diskRow(),
      networkRow(),
      generatorRow(),
    ],
  });
}
