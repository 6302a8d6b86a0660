/** CRDs as messages print them: JSON of Kubernetes' internal structs (`pkg/apis/apiextensions/types*.go`). */
import type { ValidationRule } from '../schema/crd-schema.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { type CrdPart, schemaOf } from './shared-parts.ts';

/** A version without what stands above all versions. */
export function goVersion(version: JsonRecord, shared: ReadonlySet<CrdPart>): JsonRecord {
  const schema = schemaOf(version);
  const subresources = isRecord(version.subresources) ? version.subresources : undefined;
  const columns = Array.isArray(version.additionalPrinterColumns) ? version.additionalPrinterColumns : [];
  const fields = Array.isArray(version.selectableFields) ? version.selectableFields : [];
  return {
    Name: version.name ?? '',
    Served: version.served === true,
    Storage: version.storage === true,
    Deprecated: version.deprecated === true,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: shared.has('schema') || !isRecord(version.schema) ? null : { OpenAPIV3Schema: goSchema(schema) },
    Subresources: shared.has('subresources') || subresources === undefined ? null : goSubresources(subresources),
    AdditionalPrinterColumns:
      shared.has('additionalPrinterColumns') || columns.length === 0 ? null : columns.filter(isRecord).map(goColumn),
    SelectableFields:
      shared.has('selectableFields') || fields.length === 0
        ? null
        : fields.filter(isRecord).map((field) => ({ JSONPath: field.jsonPath ?? '' })),
  };
}

function goSubresources(subresources: JsonRecord): JsonRecord {
  const scale = isRecord(subresources.scale) ? subresources.scale : undefined;
  return {
    Status: isRecord(subresources.status) ? {} : null,
    Scale:
      scale === undefined
        ? null
        : {
            SpecReplicasPath: scale.specReplicasPath ?? '',
            StatusReplicasPath: scale.statusReplicasPath ?? '',
            LabelSelectorPath: scale.labelSelectorPath ?? null,
          },
  };
}

function goColumn(column: JsonRecord): JsonRecord {
  return {
    Name: column.name ?? '',
    Type: column.type ?? '',
    Format: column.format ?? '',
    Description: column.description ?? '',
    Priority: column.priority ?? 0,
    JSONPath: column.jsonPath ?? '',
  };
}

export function goRule(rule: ValidationRule): JsonRecord {
  return {
    Rule: rule.rule ?? '',
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}

const list = (value: unknown): readonly unknown[] | null => (Array.isArray(value) && value.length > 0 ? value : null);

function schemas(value: unknown): unknown {
  return Array.isArray(value) && value.length > 0 ? value.map(goSchema) : null;
}

function named(value: unknown): unknown {
  if (!isRecord(value) || Object.keys(value).length === 0) return null;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, goSchema(value[key])]),
  );
}

function orBool(value: unknown): unknown {
  if (typeof value === 'boolean') return { Allows: value, Schema: null };
  return isRecord(value) ? { Allows: true, Schema: goSchema(value) } : null;
}

/** JSONSchemaProps with every field. */
export function goSchema(value: unknown): JsonRecord | null {
  if (!isRecord(value)) return null;
  const rules = Array.isArray(value['x-kubernetes-validations']) ? value['x-kubernetes-validations'] : [];
  return {
    ID: value.id ?? '',
    Schema: value.$schema ?? '',
    Ref: value.$ref ?? null,
    Description: value.description ?? '',
    Type: value.type ?? '',
    Nullable: value.nullable === true,
    Format: value.format ?? '',
    Title: value.title ?? '',
    Default: value.default ?? null,
    Maximum: value.maximum ?? null,
    ExclusiveMaximum: value.exclusiveMaximum === true,
    Minimum: value.minimum ?? null,
    ExclusiveMinimum: value.exclusiveMinimum === true,
    MaxLength: value.maxLength ?? null,
    MinLength: value.minLength ?? null,
    Pattern: value.pattern ?? '',
    MaxItems: value.maxItems ?? null,
    MinItems: value.minItems ?? null,
    UniqueItems: value.uniqueItems === true,
    MultipleOf: value.multipleOf ?? null,
    Enum: list(value.enum),
    MaxProperties: value.maxProperties ?? null,
    MinProperties: value.minProperties ?? null,
    Required: list(value.required),
    Items: isRecord(value.items) ? { Schema: goSchema(value.items), JSONSchemas: null } : null,
    AllOf: schemas(value.allOf),
    OneOf: schemas(value.oneOf),
    AnyOf: schemas(value.anyOf),
    Not: goSchema(value.not),
    Properties: named(value.properties),
    AdditionalProperties: orBool(value.additionalProperties),
    PatternProperties: named(value.patternProperties),
    Dependencies: value.dependencies ?? null,
    AdditionalItems: orBool(value.additionalItems),
    Definitions: named(value.definitions),
    ExternalDocs: value.externalDocs ?? null,
    Example: value.example ?? null,
    XPreserveUnknownFields: value['x-kubernetes-preserve-unknown-fields'] ?? null,
    XEmbeddedResource: value['x-kubernetes-embedded-resource'] === true,
    XIntOrString: value['x-kubernetes-int-or-string'] === true,
    XListMapKeys: list(value['x-kubernetes-list-map-keys']),
    XListType: value['x-kubernetes-list-type'] ?? null,
    XMapType: value['x-kubernetes-map-type'] ?? null,
    XValidations: rules.length === 0 ? null : rules.map((rule) => goRule(rule as ValidationRule)),
  };
}
