// Errors
export {
  duplicateValue,
  type FieldError,
  type FieldErrorType,
  fieldErrorBody,
  fieldErrorText,
  forbiddenValue,
  goQuote,
  internalFieldError,
  invalidValue,
  requiredValue,
  tooLong,
  tooMany,
  typeInvalid,
  unsupportedValue,
  valueNotFound,
} from './errors/field-error.ts';
export {
  alreadyExists,
  applyConflict,
  badRequest,
  conflict,
  expired,
  forbidden,
  generateNameConflict,
  gone,
  internalError,
  invalid,
  methodNotAllowed,
  methodNotSupported,
  notAcceptable,
  notFound,
  OPTIMISTIC_LOCK_MESSAGE,
  requestEntityTooLarge,
  resourceNotFound,
  serverTimeout,
  serviceUnavailable,
  statusError,
  timeout,
  tooLargeResourceVersion,
  tooManyRequests,
  tooManyRequestsWithCause,
  unauthorized,
  unclassified,
  unprocessablePatch,
  unsupportedMediaType,
  unsupportedPatchType,
} from './errors/status-errors.ts';
export type { GroupVersionResource, KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from './object.ts';
export { applyJsonPatch, MAX_JSON_PATCH_OPERATIONS } from './patch/json-patch.ts';
export { applyMergePatch } from './patch/merge-patch.ts';
// Patches
export { PatchError, type PatchProblem } from './patch/patch-error.ts';
export { findKind, findResource } from './registry/lookup.ts';
// Registry
export {
  apiVersionOf,
  type GroupResource,
  type GroupVersionKind,
  groupKindName,
  groupResourceName,
  parseApiVersion,
  type ResourceDefinition,
  type SubresourceDefinition,
} from './registry/resource-definition.ts';
export { RESOURCES } from './registry/resources.ts';
export { builtinSchema, builtinSchemaOf, builtinType, definitionName } from './schema/builtin.ts';
export { crdSchema, type JsonSchemaProps } from './schema/crd-schema.ts';
// Schemas
export type {
  AnySchema,
  FieldSchema,
  ListSchema,
  MapSchema,
  ScalarSchema,
  ScalarType,
  Schema,
  StructSchema,
} from './schema/schema.ts';
// Selectors
export {
  formatLabelSelector,
  formatLabelSelectorObject,
  type LabelRequirement,
  type LabelSelector,
  type LabelSelectorObject,
  labelSelectorOf,
  matchesLabels,
  parseLabelSelector,
  SelectorSyntaxError,
} from './selectors/label-selector.ts';
export { isStatusError, type Status, type StatusCause, type StatusDetails, StatusError } from './status.ts';
export { formatGoDuration, humanDuration, parseGoDuration } from './values/duration.ts';
export { type IntOrString, parsePercent, scaledValue } from './values/int-or-string.ts';
// Values
export { copyJson, isRecord, jsonEquals, semanticEquals } from './values/json.ts';
export {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  type QuantityFormat,
  quantityMilliValue,
  quantityValue,
  subtractQuantities,
} from './values/quantity.ts';
export { formatMicroTime, formatTime, parseRfc3339 } from './values/time.ts';
