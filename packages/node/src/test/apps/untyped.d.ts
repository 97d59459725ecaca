// Frameworks that bring no types along.
declare module "express";
declare module "koa";
