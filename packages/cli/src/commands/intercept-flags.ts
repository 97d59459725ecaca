import type { ManagerFlags } from "../cli-context.ts";
import type { AccessKind } from "./preview/settings.ts";

export interface InterceptFlags extends ManagerFlags {
  readonly port: number;
  readonly servicePort?: string;
  readonly route?: string;
  readonly client?: string;
  readonly owner?: string;
  readonly preview: boolean;
  readonly previewName?: string;
  readonly previewAccess?: AccessKind;
  readonly previewPasswordFile?: string;
  readonly takeover: boolean;
  readonly onFailure: "live" | "error";
  readonly envFile?: string;
}

/** Whoever says how the preview should be wants one. */
export function wantsPreview({
  preview,
  previewName,
  previewAccess,
  previewPasswordFile,
}: InterceptFlags): boolean {
  return preview || [previewName, previewAccess, previewPasswordFile].some((flag) => flag !== undefined);
}
