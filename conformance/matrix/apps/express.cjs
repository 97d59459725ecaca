// @ts-check
const http = require("node:http");
const listen = require("./listen.cjs");

/** @param {import("../service.cjs").Kit} kit */
module.exports = ({ load, handle }) => {
  const express = load("express");
  const app = express();
  app.use(express.json());
  app.post("/", (/** @type {any} */ _request, /** @type {any} */ response, /** @type {any} */ next) => {
    void handle().then((answer) => response.json(answer), next);
  });
  return listen(http.createServer(app));
};
