import { z } from "zod";

export const hostPort: z.ZodType<string> = z
  .string()
  .regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, "is not host:port, such as 127.0.0.1:8000");

export const name: z.ZodString = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    "is not a name of small letters, digits and inner hyphens",
  );
