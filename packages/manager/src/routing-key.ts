/** The value of `clew-route` that selects the route. In open mode, the only one yet, that is its plain name. */
export function routingKey(route: string): string {
  return route;
}
