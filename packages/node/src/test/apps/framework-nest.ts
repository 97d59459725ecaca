// Nest without its decorator syntax, which only says where these functions are called.
import "reflect-metadata";
import {
  type ArgumentsHost,
  Body,
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  Module,
  Post,
  Req,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { tap } from "rxjs";
import {
  afterwards,
  announce,
  look,
  lookAfterwards,
  type Places,
  type Work,
  work,
} from "./framework-work.ts";

interface Request {
  places: Places;
  headers: { baggage?: string };
}
const requestOf = (host: ArgumentsHost): Request => host.switchToHttp().getRequest();

class WorkController {
  work(request: Request, body: { via?: string }): Promise<Work> {
    return work(request.places, body);
  }
  async fail(): Promise<never> {
    await null;
    throw new Error("as asked");
  }
  afterwards(): typeof afterwards {
    return afterwards;
  }
}

class WorkModule {}

const handlers = WorkController.prototype;
const descriptorOf = (name: keyof WorkController): PropertyDescriptor =>
  Object.getOwnPropertyDescriptor(handlers, name) ?? {};
for (const [name, decorator] of [
  ["work", Post("work")],
  ["work", HttpCode(200)],
  ["fail", Post("fail")],
  ["afterwards", Get("afterwards")],
] as const) {
  decorator(handlers, name, descriptorOf(name));
}
Req()(handlers, "work", 0);
Body()(handlers, "work", 1);
Controller()(WorkController);
Module({ controllers: [WorkController] })(WorkModule);

const app = await NestFactory.create(WorkModule, new ExpressAdapter(), { logger: false });
app.useGlobalGuards({
  canActivate(host: ExecutionContext) {
    const request = requestOf(host);
    request.places = {};
    look(request.places, "guard");
    return true;
  },
});
app.useGlobalInterceptors({
  intercept(host: ExecutionContext, next: CallHandler) {
    const request = requestOf(host);
    look(request.places, "interceptor");
    return next.handle().pipe(tap(() => lookAfterwards("interceptor on the way back", request.headers)));
  },
});
app.useGlobalFilters({
  catch(_error: unknown, host: ArgumentsHost) {
    const { places } = requestOf(host);
    look(places, "filter");
    host.switchToHttp().getResponse().status(500).json({ places });
  },
});
await app.listen(0, "127.0.0.1");
announce(app.getHttpServer());
