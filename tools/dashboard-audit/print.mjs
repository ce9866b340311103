/** @param {import("./page/inspect.ts").DashboardReport} report @param {number} s */
export function printReport(report, s) { console.log(s, JSON.stringify(report, null, 1)); }
