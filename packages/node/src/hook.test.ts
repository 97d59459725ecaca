import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { test } from "node:test";
import { Hook } from "./hook.ts";

class Greeter {
  greet(name: string): string {
    return `hello ${name}`;
  }
}
class LoudGreeter extends Greeter {}

const shouting = (greet: (name: string) => string) =>
  function (this: unknown, name: string) {
    return `${Reflect.apply(greet, this, [name])}!`;
  };

test("a replaced method looks like the original, and disable puts own and inherited ones back as they were", () => {
  const before = Object.getOwnPropertyDescriptor(Greeter.prototype, "greet");
  const hook = new Hook("greeter");
  hook.replace(Greeter.prototype, "greet", shouting);
  hook.replace(LoudGreeter.prototype, "greet", shouting);
  assert.equal(new LoudGreeter().greet("you"), "hello you!!");
  assert.deepEqual([Greeter.prototype.greet.name, Greeter.prototype.greet.length], ["greet", 1]);
  assert.deepEqual(Object.keys(Greeter.prototype), []);
  hook.disable();
  assert.deepEqual(Object.getOwnPropertyDescriptor(Greeter.prototype, "greet"), before);
  assert.equal(Object.hasOwn(LoudGreeter.prototype, "greet"), false);
});

test("a method that somebody replaced after us is left as it is by disable", () => {
  const hook = new Hook("greeter");
  const target = { greet: (name: string) => name };
  hook.replace(target, "greet", shouting);
  const ours = target.greet;
  const theirs = (name: string): string => ours(name);
  target.greet = theirs;
  hook.disable();
  assert.equal(target.greet, theirs);
});

test("a fault ends the hook and is said once, by a warning and on the channel", async () => {
  const published: unknown[] = [];
  const onFault = (message: unknown): void => void published.push(message);
  subscribe("clew.node.fault", onFault);
  const hook = new Hook("greeter");
  const warned = once(process, "warning");
  const error = new Error("boom");
  hook.fail(error);
  hook.fail(new Error("again"));
  const [warning] = await warned;
  unsubscribe("clew.node.fault", onFault);
  assert.equal(hook.active, false);
  assert.deepEqual(published, [{ hook: "greeter", error }]);
  assert.equal(warning.code, "CLEW_NODE_FAULT");
  assert.match(warning.message, /greeter.*boom/);
});

test("a runtime without the method costs the hook and throws nothing", async () => {
  const hook = new Hook("greeter");
  const warned = once(process, "warning");
  hook.install(() => hook.replace({}, "greet", shouting));
  assert.equal(hook.active, false);
  assert.match((await warned)[0].message, /no greeter method greet/);
});
