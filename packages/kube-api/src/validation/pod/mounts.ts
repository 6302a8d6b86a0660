/** Where volumes stand in a container (`ValidateVolumeMounts`, `ValidateVolumeDevices`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
  valueNotFound,
} from '../../errors/field-error.ts';
import { recordAt, recordsAt, stringAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { descendingPath } from './paths.ts';

type Volumes = ReadonlyMap<string, JsonRecord>;

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE = ['Disabled', 'Enabled', 'IfPossible'];

function propagation(mount: JsonRecord, container: JsonRecord, field: string): FieldError[] {
  const value = mount.mountPropagation;
  if (typeof value !== 'string') return [];
  const out = PROPAGATIONS.includes(value) ? [] : [unsupportedValue(field, value, PROPAGATIONS)];
  if (value === 'Bidirectional' && recordAt(container, 'securityContext')?.privileged !== true)
    out.push(forbiddenValue(field, 'Bidirectional mount propagation is available only to privileged containers'));
  return out;
}

function recursiveReadOnly(mount: JsonRecord, field: string): FieldError[] {
  const value = mount.recursiveReadOnly;
  if (typeof value !== 'string' || value === 'Disabled') return [];
  if (!RECURSIVE.includes(value)) return [unsupportedValue(field, value, RECURSIVE)];
  const out: FieldError[] = [];
  if (mount.readOnly !== true) out.push(forbiddenValue(field, 'may only be specified when readOnly is true'));
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None')
    out.push(forbiddenValue(field, 'may only be specified when mountPropagation is None or not specified'));
  return out;
}

/** Messages about the path inside a volume name the list, not the mount (so upstream). */
export function validateMounts(container: JsonRecord, volumes: Volumes, field: string): FieldError[] {
  const out: FieldError[] = [];
  const devices = recordsAt(container, 'volumeDevices');
  const devicePaths = new Set(devices.map((device) => stringAt(device, 'devicePath')));
  const deviceNames = new Set(devices.map((device) => stringAt(device, 'name')));
  const paths = new Set<string>();
  for (const [index, mount] of recordsAt(container, 'volumeMounts').entries()) {
    const path = `${field}[${index}]`;
    const name = stringAt(mount, 'name');
    const volume = volumes.get(name);
    if (name === '') out.push(requiredValue(`${path}.name`));
    if (volume === undefined) out.push(valueNotFound(`${path}.name`, name));
    const mountPath = stringAt(mount, 'mountPath');
    if (mountPath === '') out.push(requiredValue(`${path}.mountPath`));
    if (paths.has(mountPath)) out.push(invalidValue(`${path}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    if (deviceNames.has(name)) out.push(invalidValue(`${path}.name`, name, 'must not already exist in volumeDevices'));
    if (devicePaths.has(mountPath))
      out.push(invalidValue(`${path}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    const subPath = stringAt(mount, 'subPath');
    const subPathExpr = stringAt(mount, 'subPathExpr');
    if (subPath !== '') out.push(...descendingPath(subPath, `${field}.subPath`));
    if (subPathExpr !== '') {
      if (subPath !== '')
        out.push(invalidValue(`${path}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      out.push(...descendingPath(subPathExpr, `${field}.subPathExpr`));
    }
    out.push(
      ...propagation(mount, container, `${field}.mountPropagation`),
      ...recursiveReadOnly(mount, `${field}.recursiveReadOnly`),
    );
  }
  return out;
}

export function validateDevices(container: JsonRecord, volumes: Volumes, field: string): FieldError[] {
  const out: FieldError[] = [];
  const mounts = recordsAt(container, 'volumeMounts');
  const mountPaths = new Set(mounts.map((mount) => stringAt(mount, 'mountPath')));
  const mountNames = new Set(mounts.map((mount) => stringAt(mount, 'name')));
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [index, device] of recordsAt(container, 'volumeDevices').entries()) {
    const place = `${field}[${index}]`;
    const name = stringAt(device, 'name');
    const path = stringAt(device, 'devicePath');
    const volume = volumes.get(name);
    if (name === '') out.push(requiredValue(`${place}.name`));
    if (names.has(name)) out.push(invalidValue(`${place}.name`, name, 'must be unique'));
    if (volume === undefined) out.push(valueNotFound(`${place}.name`, name));
    else if (!isRecord(volume.persistentVolumeClaim) && !isRecord(volume.ephemeral))
      out.push(
        invalidValue(
          `${place}.name`,
          name,
          'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
        ),
      );
    if (path === '') out.push(requiredValue(`${place}.devicePath`));
    if (paths.has(path)) out.push(invalidValue(`${place}.devicePath`, path, 'must be unique'));
    if (path.split('/').includes('..'))
      out.push(invalidValue(`${place}.devicePath`, path, "can not contain backsteps ('..')"));
    else paths.add(path);
    if (mountNames.has(name)) out.push(invalidValue(`${place}.name`, name, 'must not already exist in volumeMounts'));
    if (mountPaths.has(path))
      out.push(invalidValue(`${place}.devicePath`, path, 'must not already exist as a path in volumeMounts'));
    if (name !== '') names.add(name);
  }
  return out;
}
