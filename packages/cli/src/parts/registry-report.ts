import type { RegistryReport } from "@clew/manager";

/** What a registry reports, as one sentence for the log. */
export function describeReport(report: RegistryReport): string {
  switch (report.kind) {
    case "journal-torn":
      return `The journal ${report.file} ended in ${report.bytes} bytes that were never acknowledged; they were cut off.`;
    case "lock-taken-over":
      return `The lock ${report.file} of a process that is no more was taken over.`;
    case "snapshot-failed":
      return `A snapshot could not be written, nothing is lost: ${String(report.cause)}`;
    case "lease-end-failed":
      return `A lease could not be ended, tried again soon: ${String(report.cause)}`;
    case "lease-forgiven":
      return `A lease came due while this process did not run (${report.lateMs} ms late); it got its full time again.`;
    case "endpoint-failed":
      return `${report.endpoint} did not answer, the next one is asked: ${String(report.cause)}`;
    case "watch-broken":
      return `The watch broke, changes come late until it is back: ${String(report.cause)}`;
    case "watch-resumed":
      return "The watch is back.";
  }
}
