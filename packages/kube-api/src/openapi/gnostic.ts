/** Swagger 2.0 documents in gnostic's protobuf (`openapiv2/OpenAPIv2.proto`), as far as the API server's documents go. */
import { isRecord, type JsonRecord } from '../values/json.ts';

const encoder = new TextEncoder();

/** A growing buffer; nested messages are written on their own and copied in. */
class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  #ensure(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  #varint(value: number): void {
    this.#ensure(6);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  bytes(field: number, value: Uint8Array): void {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#ensure(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  text(field: number, value: unknown): void {
    if (typeof value === 'string' && value !== '') this.bytes(field, encoder.encode(value));
  }

  flag(field: number, value: unknown): void {
    if (value !== true) return;
    this.#varint(field * 8);
    this.#varint(1);
  }

  int(field: number, value: unknown): void {
    if (typeof value !== 'number' || value < 0) return;
    this.#varint(field * 8);
    this.#varint(value);
  }

  double(field: number, value: unknown): void {
    if (typeof value !== 'number') return;
    this.#varint(field * 8 + 1);
    this.#ensure(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  message(field: number, write: (writer: Writer) => void): void {
    const inner = new Writer();
    write(inner);
    this.bytes(field, inner.done());
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** `Any` with YAML inside; JSON is YAML. */
function writeAny(writer: Writer, field: number, value: unknown): void {
  writer.message(field, (any) => any.text(2, `${JSON.stringify(value)}\n`));
}

function writeExtensions(writer: Writer, field: number, source: JsonRecord): void {
  for (const [name, value] of Object.entries(source))
    if (name.startsWith('x-'))
      writer.message(field, (named) => {
        named.text(1, name);
        writeAny(named, 2, value);
      });
}

function writeSchema(writer: Writer, schema: JsonRecord): void {
  writer.text(1, schema.$ref);
  writer.text(2, schema.format);
  writer.text(3, schema.title);
  writer.text(4, schema.description);
  writer.double(7, schema.maximum);
  writer.flag(8, schema.exclusiveMaximum);
  writer.double(9, schema.minimum);
  writer.flag(10, schema.exclusiveMinimum);
  writer.int(11, schema.maxLength);
  writer.int(12, schema.minLength);
  writer.text(13, schema.pattern);
  writer.int(14, schema.maxItems);
  writer.int(15, schema.minItems);
  writer.int(17, schema.maxProperties);
  writer.int(18, schema.minProperties);
  for (const name of Array.isArray(schema.required) ? schema.required : []) writer.text(19, name);
  for (const value of Array.isArray(schema.enum) ? schema.enum : []) writeAny(writer, 20, value);
  const { additionalProperties, items, properties } = schema;
  if (isRecord(additionalProperties))
    writer.message(21, (item) => item.message(1, (inner) => writeSchema(inner, additionalProperties)));
  else if (additionalProperties === true) writer.message(21, (item) => item.flag(2, true));
  if (typeof schema.type === 'string') writer.message(22, (type) => type.text(1, schema.type));
  if (isRecord(items)) writer.message(23, (item) => item.message(1, (inner) => writeSchema(inner, items)));
  if (isRecord(properties)) writer.message(25, (list) => writeNamedSchemas(list, properties));
  writeExtensions(writer, 31, schema);
}

function writeNamedSchemas(writer: Writer, schemas: JsonRecord): void {
  for (const [name, schema] of Object.entries(schemas))
    if (isRecord(schema))
      writer.message(1, (named) => {
        named.text(1, name);
        named.message(2, (value) => writeSchema(value, schema));
      });
}

const METHODS: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 };

function writeOperation(writer: Writer, operation: JsonRecord): void {
  for (const parameter of Array.isArray(operation.parameters) ? operation.parameters : [])
    if (isRecord(parameter))
      // ParametersItem { Parameter { NonBodyParameter { QueryParameterSubSchema } } }
      writer.message(8, (item) =>
        item.message(1, (outer) =>
          outer.message(2, (nonBody) =>
            nonBody.message(3, (query) => {
              query.text(2, parameter.in);
              query.text(3, parameter.description);
              query.text(4, parameter.name);
              query.text(6, parameter.type);
            }),
          ),
        ),
      );
  writer.message(9, (responses) =>
    responses.message(1, (named) => {
      named.text(1, '200');
      named.message(2, (value) => value.message(1, (response) => response.text(1, 'OK')));
    }),
  );
  writeExtensions(writer, 13, operation);
}

/** Encodes a document made by `openApiV2Document`. */
export function encodeGnosticDocument(document: JsonRecord): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  const { info, paths, definitions } = document;
  writer.text(1, document.swagger);
  if (isRecord(info))
    writer.message(2, (message) => {
      message.text(1, info.title);
      message.text(2, info.version);
    });
  if (isRecord(paths))
    writer.message(8, (message) => {
      for (const [path, item] of Object.entries(paths))
        if (isRecord(item))
          message.message(2, (named) => {
            named.text(1, path);
            named.message(2, (value) => {
              for (const [method, operation] of Object.entries(item)) {
                const field = METHODS[method];
                if (field !== undefined && isRecord(operation))
                  value.message(field, (inner) => writeOperation(inner, operation));
              }
            });
          });
    });
  if (isRecord(definitions)) writer.message(9, (message) => writeNamedSchemas(message, definitions));
  return writer.done();
}
