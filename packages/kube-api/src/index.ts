// Errors

// Server-side apply
export { type ApplyPatchOptions, applyPatch } from './apply/apply-patch.ts';
export { keepManagedFieldsTimes } from './apply/managed-fields.ts';
export { mergeConfiguration } from './apply/merge-configuration.ts';
export { type TrackUpdateOptions, trackUpdate } from './apply/track-update.ts';
export { authorizerValue, type CelAccess, type CelAuthorizer, resourceCheckValue } from './cel/authorizer.ts';
export {
  dynamicValue,
  type Expression,
  evaluateExpression,
  evaluationFailure,
  jsonOfValue,
  LazyValues,
  parseExpression,
  typeNameProblem,
} from './cel/expressions.ts';
export { hasRules, validateRules } from './cel/validate-rules.ts';
export { CelObject, typeName as celTypeName, type Value as CelValue } from './cel/values.ts';
export { type CertificationRequest, parseCertificationRequest } from './certificates/certification-request.ts';
// Custom resources
export {
  type CustomDecodeResult,
  decodeCustomResource,
  type ScalePaths,
  validateScalePaths,
} from './crd/custom-resource.ts';
export { defaultCustomResource } from './crd/default-values.ts';
export { evaluateJsonPath, parseJsonPath } from './crd/json-path.ts';
export { pruneCustomResource } from './crd/prune.ts';
export { validateCrd, validateCrdUpdate } from './crd/validate-crd.ts';
export { validateAgainstSchema } from './crd/validate-value.ts';
// Defaulting, preparation, validation
export { applyDefaults } from './defaults/apply-defaults.ts';
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
// OpenAPI
export type { CustomKind } from './openapi/definitions.ts';
export { openApiV2Document, openApiV2Protobuf } from './openapi/v2.ts';
export { fnv1a, type OpenApiV3Group, openApiV3Document, openApiV3Index } from './openapi/v3.ts';
export { applyJsonPatch, MAX_JSON_PATCH_OPERATIONS } from './patch/json-patch.ts';
export { applyMergePatch } from './patch/merge-patch.ts';
// Patches
export { PatchError, type PatchProblem } from './patch/patch-error.ts';
export { applyStrategicMergePatch } from './patch/strategic-merge.ts';
// Tables
export type { TableColumn } from './printers/columns.ts';
export { customColumns, customRow, type PrinterColumn, tableColumns, tableRow } from './printers/table.ts';
// Protobuf
export { decodeProtobuf, isProtobuf } from './protobuf/decode-protobuf.ts';
export { ProtobufError } from './protobuf/reader.ts';
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
export {
  DecodeError,
  type DecodeOptions,
  type DecodeResult,
  decodeObject,
  decodeValue,
  inGoOrder,
} from './schema/decode.ts';
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
export { dropStringData, prepareForCreate, prepareForUpdate } from './strategy/prepare.ts';
export { computeQosClass, type QosClass, qosClassOf } from './strategy/qos.ts';
export { cronProblem } from './validation/cron.ts';
export { validateLabelSelector } from './validation/label-selector.ts';
export { isDns1123Subdomain } from './validation/names.ts';
export {
  type NameRule,
  nameRule,
  pathSegmentName,
  validateAnnotations,
  validateFieldManager,
  validateLabels,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from './validation/object-meta.ts';
export { validateClusterIps } from './validation/services.ts';
export { validateBody, validateCreate, validateUpdate } from './validation/validate.ts';
export { duplicateFields } from './values/duplicate-fields.ts';
export { formatGoDuration, humanDuration, parseGoDuration } from './values/duration.ts';
export { goDynamicType, goFormat } from './values/go-format.ts';
export { goJsonProblem } from './values/go-json.ts';
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
export { deprecationOf, warningsOf } from './warnings/kinds.ts';
