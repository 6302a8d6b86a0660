/** DNS messages (RFC 1035) as far as a resolver of service names needs them. */

export const TYPE_A = 1;
export const TYPE_SOA = 6;
export const TYPE_AAAA = 28;
export const TYPE_SRV = 33;
export const TYPE_ANY = 255;
export const RCODE_OK = 0;
export const RCODE_FORMAT = 1;
export const RCODE_FAILURE = 2;
export const RCODE_NAME = 3;
export const RCODE_NOT_IMPLEMENTED = 4;

export interface Question {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** Lower case, no dot at the end. */
  readonly name: string;
  readonly type: number;
  /** The question section as sent, which the answer repeats (with the asker's upper and lower case). */
  readonly section: Buffer;
}

export type Answer =
  | { readonly type: 'A'; readonly address: string }
  | { readonly type: 'SRV'; readonly port: number; readonly target: string };

const HEADER_BYTES = 12;
const CLASS_IN = 1;
const MAX_UDP_BYTES = 1232;

/** The one question of a query. Undefined: not a query that could be answered at all. */
export function parseQuestion(message: Buffer): Question | { readonly id: number; readonly rcode: number } | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const id = message.readUInt16BE(0);
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) !== 0) return undefined;
  if (((flags >> 11) & 15) !== 0) return { id, rcode: RCODE_NOT_IMPLEMENTED };
  if (message.readUInt16BE(4) !== 1) return { id, rcode: RCODE_FORMAT };
  const labels: string[] = [];
  let at = HEADER_BYTES;
  let bytes = 0;
  for (;;) {
    const size = message[at];
    if (size === undefined || size > 63) return { id, rcode: RCODE_FORMAT };
    at++;
    if (size === 0) break;
    bytes += size + 1;
    if (at + size > message.length || bytes > 254) return { id, rcode: RCODE_FORMAT };
    labels.push(message.toString('latin1', at, at + size).toLowerCase());
    at += size;
  }
  if (at + 4 > message.length) return { id, rcode: RCODE_FORMAT };
  const type = message.readUInt16BE(at);
  if (message.readUInt16BE(at + 2) !== CLASS_IN) return { id, rcode: RCODE_NOT_IMPLEMENTED };
  return {
    id,
    recursionDesired: (flags & 0x0100) !== 0,
    name: labels.join('.'),
    type,
    section: message.subarray(HEADER_BYTES, at + 4),
  };
}

/** The answer to a question; with `udp` it is cut, and marked so, where it is too long. */
export function formatAnswer(
  question: Question,
  rcode: number,
  answers: readonly Answer[],
  ttl: number,
  udp: boolean,
): Buffer {
  const records: Buffer[] = [];
  let size = HEADER_BYTES + question.section.length;
  let truncated = false;
  for (const answer of answers) {
    const record = formatRecord(answer, ttl);
    if (udp && size + record.length > MAX_UDP_BYTES) {
      truncated = true;
      break;
    }
    records.push(record);
    size += record.length;
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(question.id, 0);
  const flags = 0x8480 | (question.recursionDesired ? 0x0100 : 0) | (truncated ? 0x0200 : 0) | rcode;
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question.section, ...records]);
}

export function formatError(id: number, rcode: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x8080 | rcode, 2);
  return header;
}

function formatRecord(answer: Answer, ttl: number): Buffer {
  const data =
    answer.type === 'A'
      ? Buffer.from(answer.address.split('.').map(Number))
      : Buffer.concat([srvHead(answer.port), formatName(answer.target)]);
  const record = Buffer.alloc(12 + data.length);
  // A pointer to the name in the question.
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(answer.type === 'A' ? TYPE_A : TYPE_SRV, 2);
  record.writeUInt16BE(CLASS_IN, 4);
  record.writeUInt32BE(ttl, 6);
  record.writeUInt16BE(data.length, 10);
  data.copy(record, 12);
  return record;
}

function srvHead(port: number): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(0, 0);
  head.writeUInt16BE(100, 2);
  head.writeUInt16BE(port, 4);
  return head;
}

function formatName(name: string): Buffer {
  const pieces = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]));
  return Buffer.concat([...pieces, Buffer.from([0])]);
}
