// @ts-check
// Connect with JSON. Its service is described at run time, so nothing has to be generated; types are checked as
// Protobuf does, rules for values are the method's.
import { createServer } from "node:http";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { findOrder } from "../work.mjs";

/** @param {string} name @param {number} number @param {Type} type @param {{ repeated?: boolean, message?: string }} [more] */
const field = (name, number, type, { repeated = false, message } = {}) => ({
  name,
  number,
  type,
  jsonName: name,
  label: repeated ? Label.REPEATED : Label.OPTIONAL,
  ...(message === undefined ? {} : { typeName: `.bench.${message}` }),
});

const file = create(FileDescriptorProtoSchema, {
  name: "bench.proto",
  package: "bench",
  syntax: "proto3",
  messageType: [
    { name: "Arguments", field: [field("id", 1, Type.STRING), field("lines", 2, Type.INT32)] },
    {
      name: "Line",
      field: [
        field("sku", 1, Type.STRING),
        field("title", 2, Type.STRING),
        field("quantity", 3, Type.INT32),
        field("price", 4, Type.STRING),
        field("tags", 5, Type.STRING, { repeated: true }),
      ],
    },
    {
      name: "Order",
      field: [
        field("id", 1, Type.STRING),
        field("status", 2, Type.STRING),
        field("total", 3, Type.DOUBLE),
        field("lines", 4, Type.MESSAGE, { repeated: true, message: "Line" }),
      ],
    },
  ],
  service: [
    { name: "Orders", method: [{ name: "Get", inputType: ".bench.Arguments", outputType: ".bench.Order" }] },
  ],
});

export function start() {
  const service = createFileRegistry(file, () => undefined).getService("bench.Orders");
  if (service === undefined) throw new Error("the service is not in its own description");
  const get = (/** @type {any} */ args) => {
    if (args.id === "" || args.lines > 1_000) throw new ConnectError("invalid", Code.InvalidArgument);
    return findOrder(args);
  };
  return createServer(
    connectNodeAdapter({ routes: (router) => void router.service(service, /** @type {any} */ ({ get })) }),
  );
}
