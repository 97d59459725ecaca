// @ts-check
// What propagation is tried with: the oldest version that is supported, and the newest of each major one.

/**
 * @typedef {object} Library
 * @property {string} name As npm knows it.
 * @property {string} app Which file in `apps/` uses it.
 * @property {readonly string[]} ranges Versions, as npm takes them.
 * @property {Readonly<Record<string, string>>} [beside] What is installed with it, where the default does not do.
 */

/** @type {readonly Library[]} */
export const libraries = [
  { name: "express", app: "express", ranges: ["4.16.0", "4", "5.0.0", "5"] },
  { name: "fastify", app: "fastify", ranges: ["4.0.0", "4", "5.0.0", "5"] },
  { name: "koa", app: "koa", ranges: ["2.0.0", "2", "3.0.0", "3"] },
  { name: "hono", app: "hono", ranges: ["4.0.0"], beside: { "@hono/node-server": "1.3.0" } },
  { name: "hono", app: "hono", ranges: ["4"], beside: { "@hono/node-server": "latest" } },
  ...["10.0.0", "10", "11.0.0", "11"].map((range) => ({
    name: "@nestjs/core",
    app: "nest",
    ranges: [range],
    beside: {
      "@nestjs/common": range,
      "@nestjs/platform-express": range,
      "reflect-metadata": "0.1.13 || 0.2",
      rxjs: "7",
    },
  })),
  { name: "undici", app: "undici", ranges: ["5.0.0", "5", "6.0.0", "6", "7.0.0", "7", "8.0.0", "8"] },
  { name: "@grpc/grpc-js", app: "grpc", ranges: ["1.8.0", "1"] },
  { name: "axios", app: "axios", ranges: ["1.0.0", "1"] },
  { name: "got", app: "got", ranges: ["11.0.0", "11"] },
];
