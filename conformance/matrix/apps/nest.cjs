// @ts-check

/** @param {import("../service.cjs").Kit} kit */
module.exports = async ({ load, handle }) => {
  load("reflect-metadata");
  const { Controller, HttpCode, Module, Post } = load("@nestjs/common");
  const { NestFactory } = load("@nestjs/core");
  class AppController {
    serve() {
      return handle();
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(AppController.prototype, "serve");
  Post()(AppController.prototype, "serve", descriptor);
  HttpCode(200)(AppController.prototype, "serve", descriptor);
  Controller()(AppController);
  class AppModule {}
  Module({ controllers: [AppController] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, "127.0.0.1");
  return app.getHttpServer().address().port;
};
