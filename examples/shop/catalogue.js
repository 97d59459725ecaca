import { HttpError, startService } from "./service.js";

const products = [
  { sku: "yarn", name: "Ball of red yarn", cents: 900 },
  { sku: "lamp", name: "Oil lamp", cents: 2_400 },
  { sku: "sandals", name: "Sandals", cents: 5_200 },
];

startService("catalogue", {
  "GET /products": () => products,
  "GET /products/:": ({ parameter }) => {
    const product = products.find(({ sku }) => sku === parameter);
    if (!product) throw new HttpError(404, `no product ${parameter}`);
    return product;
  },
});
