/** Probes and lifecycle handlers. */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../../errors/field-error.ts';
import { listAt, numberAt, recordAt, recordsAt, stringAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { invalidMessages, notNegative } from '../field-rules.ts';
import { isHttpHeaderName, isValidPortName, isValidPortNum } from '../names.ts';

export function portNumberOrName(port: unknown, field: string): FieldError[] {
  if (typeof port === 'string') return invalidMessages(field, port, isValidPortName(port));
  const number = typeof port === 'number' ? port : 0;
  return invalidMessages(field, number, isValidPortNum(number));
}

function validateHandler(handler: JsonRecord, field: string, gracePeriod: number | undefined): FieldError[] {
  const out: FieldError[] = [];
  let count = 0;
  const another = (name: string): boolean => {
    count += 1;
    if (count > 1) out.push(forbiddenValue(`${field}.${name}`, 'may not specify more than 1 handler type'));
    return count === 1;
  };
  if (isRecord(handler.exec) && another('exec') && listAt(handler.exec, 'command').length === 0)
    out.push(requiredValue(`${field}.exec.command`));
  const get = recordAt(handler, 'httpGet');
  if (get !== undefined && another('httpGet')) {
    if (stringAt(get, 'path') === '') out.push(requiredValue(`${field}.httpGet.path`));
    out.push(...portNumberOrName(get.port, `${field}.httpGet.port`));
    const scheme = stringAt(get, 'scheme');
    if (scheme !== 'HTTP' && scheme !== 'HTTPS')
      out.push(unsupportedValue(`${field}.httpGet.scheme`, scheme, ['HTTP', 'HTTPS']));
    for (const header of recordsAt(get, 'httpHeaders')) {
      const name = stringAt(header, 'name');
      out.push(...invalidMessages(`${field}.httpGet.httpHeaders`, name, isHttpHeaderName(name)));
    }
  }
  const socket = recordAt(handler, 'tcpSocket');
  if (socket !== undefined && another('tcpSocket'))
    out.push(...portNumberOrName(socket.port, `${field}.tcpSocket.port`));
  const grpc = recordAt(handler, 'grpc');
  if (grpc !== undefined && another('grpc')) {
    const port = numberAt(grpc, 'port') ?? 0;
    out.push(...invalidMessages(`${field}.grpc.port`, port, isValidPortNum(port)));
  }
  const sleep = recordAt(handler, 'sleep');
  if (sleep !== undefined && another('sleep')) {
    const seconds = numberAt(sleep, 'seconds') ?? 0;
    if (gracePeriod !== undefined && (seconds < 0 || seconds > gracePeriod))
      out.push(
        invalidValue(
          `${field}.sleep`,
          seconds,
          `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`,
        ),
      );
  }
  if (count === 0) out.push(requiredValue(field, 'must specify a handler type'));
  return out;
}

function validateProbe(probe: JsonRecord, field: string): FieldError[] {
  const out = validateHandler(probe, field, undefined);
  for (const name of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'])
    out.push(...notNegative(probe[name], `${field}.${name}`));
  const grace = numberAt(probe, 'terminationGracePeriodSeconds');
  if (grace !== undefined && grace <= 0)
    out.push(invalidValue(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  return out;
}

export function validateProbes(container: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = recordAt(container, name);
    if (probe === undefined) continue;
    const path = `${field}.${name}`;
    out.push(...validateProbe(probe, path));
    if (name === 'readinessProbe') {
      if (probe.terminationGracePeriodSeconds !== undefined)
        out.push(
          invalidValue(
            `${path}.terminationGracePeriodSeconds`,
            probe.terminationGracePeriodSeconds,
            'must not be set for readinessProbes',
          ),
        );
    } else if ((probe.successThreshold ?? 0) !== 1)
      out.push(invalidValue(`${path}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'));
  }
  return out;
}

export function validateLifecycle(container: JsonRecord, field: string, gracePeriod: number): FieldError[] {
  const lifecycle = recordAt(container, 'lifecycle');
  const out: FieldError[] = [];
  for (const name of ['postStart', 'preStop']) {
    const handler = recordAt(lifecycle, name);
    if (handler !== undefined) out.push(...validateHandler(handler, `${field}.lifecycle.${name}`, gracePeriod));
  }
  return out;
}
