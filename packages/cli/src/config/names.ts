import { z } from "zod";

export const hostPort: z.ZodType<string> = z
  .string()
  .regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, "is not host:port, such as 127.0.0.1:8000");

/** A limit of time. None at all is not 0, which elsewhere means "at once", but no setting. */
export const limitMs: z.ZodType<number> = z
  .int("is not a whole number of milliseconds")
  .positive("is not a limit: it has to be 1 ms at least; leave it out for none");

export const name: z.ZodString = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    "is not a name of small letters, digits and inner hyphens",
  );
