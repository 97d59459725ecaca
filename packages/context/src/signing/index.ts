export {
  createFieldSigner,
  createFieldVerifier,
  type FieldSigner,
  type FieldSignerOptions,
  type FieldVerifier,
  type FieldVerifierOptions,
} from "./field-signature.ts";
export {
  createRoutingKeySigner,
  createRoutingKeyVerifier,
  type RoutingKeySigner,
  type RoutingKeySignerOptions,
  type RoutingKeyVerifierOptions,
} from "./signed-routing-key.ts";
