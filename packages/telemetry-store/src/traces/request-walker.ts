import { ProtobufReader } from '../bytes/protobuf.ts';
import { STATUS_ERROR } from './span-codec.ts';

/** One span of a request as the walker shows it: places in the bytes, and what the index needs. Reused for each span. */
export interface WalkedSpan {
  at: number;
  end: number;
  /** Places of the ids, -1 where absent or of the wrong length. */
  traceIdAt: number;
  spanIdAt: number;
  parentIdAt: number;
  nameAt: number;
  nameEnd: number;
  kind: number;
  /** 64-bit times in two halves. */
  startLow: number;
  startHigh: number;
  endLow: number;
  endHigh: number;
  isError: boolean;
}

export interface RequestVisitor {
  resource(bytes: Buffer): void;
  scope(bytes: Buffer): void;
  span(span: WalkedSpan): void;
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Walks an ExportTraceServiceRequest without building objects. Throws a MalformedError where the bytes are no such
 * message.
 */
export function walkRequest(bytes: Buffer, visitor: RequestVisitor): void {
  const request = new ProtobufReader(bytes);
  const span: WalkedSpan = {
    at: 0,
    end: 0,
    traceIdAt: -1,
    spanIdAt: -1,
    parentIdAt: -1,
    nameAt: 0,
    nameEnd: 0,
    kind: 0,
    startLow: 0,
    startHigh: 0,
    endLow: 0,
    endHigh: 0,
    isError: false,
  };
  while (request.next()) {
    if (request.field !== 1) {
      request.skipField();
      continue;
    }
    const resourceSpans = request.message();
    // The resource may stand after the spans; protobuf allows any order.
    let resource: Buffer = NO_BYTES;
    const look = new ProtobufReader(bytes, resourceSpans.at, resourceSpans.end);
    while (look.next()) {
      if (look.field === 1) resource = look.blob();
      else look.skipField();
    }
    visitor.resource(resource);
    while (resourceSpans.next()) {
      // Field 1000 was InstrumentationLibrarySpans before OTLP 0.15; nothing sends it any more.
      if (resourceSpans.field === 2) walkScope(resourceSpans.message(), visitor, span);
      else resourceSpans.skipField();
    }
  }
}

function walkScope(scopeSpans: ProtobufReader, visitor: RequestVisitor, span: WalkedSpan): void {
  let scope: Buffer = NO_BYTES;
  const look = new ProtobufReader(scopeSpans.buffer, scopeSpans.at, scopeSpans.end);
  while (look.next()) {
    if (look.field === 1) {
      scope = look.blob();
      break;
    }
    look.skipField();
  }
  visitor.scope(scope);
  while (scopeSpans.next()) {
    if (scopeSpans.field !== 2) {
      scopeSpans.skipField();
      continue;
    }
    walkSpan(scopeSpans.message(), span);
    visitor.span(span);
  }
}

/** Reads the fields of one span that the index needs. */
export function walkSpan(reader: ProtobufReader, span: WalkedSpan): void {
  span.at = reader.at;
  span.end = reader.end;
  span.traceIdAt = -1;
  span.spanIdAt = -1;
  span.parentIdAt = -1;
  span.nameAt = reader.end;
  span.nameEnd = reader.end;
  span.kind = 0;
  span.startLow = 0;
  span.startHigh = 0;
  span.endLow = 0;
  span.endHigh = 0;
  span.isError = false;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        span.traceIdAt = idAt(reader, 16);
        break;
      case 2:
        span.spanIdAt = idAt(reader, 8);
        break;
      case 4:
        span.parentIdAt = idAt(reader, 8);
        break;
      case 5: {
        reader.expect(2);
        const length = reader.varint();
        span.nameAt = reader.at;
        reader.skip(length);
        span.nameEnd = reader.at;
        break;
      }
      case 6:
        span.kind = reader.uint();
        break;
      case 7:
        reader.expect(1);
        span.startLow = reader.u32();
        span.startHigh = reader.u32();
        break;
      case 8:
        reader.expect(1);
        span.endLow = reader.u32();
        span.endHigh = reader.u32();
        break;
      case 15: {
        const status = reader.message();
        while (status.next()) {
          if (status.field === 3) span.isError = status.uint() === STATUS_ERROR;
          else status.skipField();
        }
        break;
      }
      default:
        reader.skipField();
    }
  }
}

/** The place of an id of this length that is not all zeros; -1 where it is another length or zero. */
function idAt(reader: ProtobufReader, bytes: number): number {
  reader.expect(2);
  const length = reader.varint();
  const at = reader.at;
  reader.skip(length);
  if (length !== bytes) return -1;
  for (let i = 0; i < bytes; i++) if (reader.buffer[at + i] !== 0) return at;
  return -1;
}
