/*
 * Loaded into every Node.js program of a pod (`node --require`). Pods share the machine's loopback network, so:
 * - listening on 0.0.0.0, :: or no address means the pod's own address (KIND_E2E_HOST);
 * - connecting to localhost means the pod's own address first, then the real 127.0.0.1;
 * - names are looked up at the cluster's DNS (KIND_E2E_DNS, `address:port`) with the pod's search domains
 *   (KIND_E2E_DNS_SEARCH), /etc/hosts first, as resolv.conf with `ndots:5` would do;
 * - ports below KIND_E2E_LOW_PORTS, which the system keeps from ordinary users, work all the same (low-ports.cjs).
 * Plain CommonJS without dependencies: it must start in a millisecond.
 */
'use strict';

const HOST = process.env.KIND_E2E_HOST || process.env.HOST;
const net = require('node:net');

if (HOST && net.isIP(HOST)) {
  mapListening();
  mapLoopbackConnections();
}
if (process.env.KIND_E2E_DNS) mapNames();
if (process.env.KIND_E2E_LOW_PORTS) require('./low-ports.cjs')(Number(process.env.KIND_E2E_LOW_PORTS));

function isAnyAddress(host) {
  return host === undefined || host === null || host === '' || host === '0.0.0.0' || host === '::' || host === '[::]';
}

function mapListening() {
  const listen = net.Server.prototype.listen;
  net.Server.prototype.listen = function (...args) {
    const [first, second] = args;
    if (first !== null && typeof first === 'object' && !('_handle' in first) && !('fd' in first && first.fd >= 0)) {
      if (first.path === undefined && first.port !== undefined && isAnyAddress(first.host))
        args[0] = { ...first, host: HOST, ipv6Only: undefined };
    } else if (isPort(first)) {
      if (typeof second === 'string') {
        if (isAnyAddress(second)) args[1] = HOST;
      } else
        args = [
          { port: first, host: HOST, ...(typeof second === 'number' ? { backlog: second } : {}) },
          ...args.filter((arg) => typeof arg === 'function'),
        ];
    } else if (first === undefined || first === null || typeof first === 'function')
      args = [{ port: 0, host: HOST }, ...args.filter((arg) => typeof arg === 'function')];
    return listen.apply(this, args);
  };
  const dgram = require('node:dgram');
  const bind = dgram.Socket.prototype.bind;
  dgram.Socket.prototype.bind = function (...args) {
    if (this.type !== 'udp4') return bind.apply(this, args);
    const [first, second] = args;
    const callbacks = args.filter((arg) => typeof arg === 'function');
    if (first !== null && typeof first === 'object' && !('fd' in first)) {
      if (isAnyAddress(first.address)) args[0] = { ...first, address: HOST };
    } else if (typeof second === 'string') {
      if (isAnyAddress(second)) args[1] = HOST;
    } else if (first === undefined || typeof first === 'number' || typeof first === 'function')
      args = [{ port: typeof first === 'number' ? first : 0, address: HOST }, ...callbacks];
    return bind.apply(this, args);
  };
}

function isPort(value) {
  return (
    typeof value === 'number' ||
    (typeof value === 'string' &&
      value.trim() !== '' &&
      Number.isInteger(Number(value)) &&
      Number(value) >= 0 &&
      Number(value) < 65536)
  );
}

/** `localhost` of a pod is its own: what it listens on there was moved to HOST. */
function mapLoopbackConnections() {
  const connect = net.Socket.prototype.connect;
  const addresses = [
    { address: HOST, family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  const lookup = (_name, options, callback) => {
    if (options?.all) callback(null, addresses);
    else callback(null, HOST, 4);
  };
  net.Socket.prototype.connect = function (...args) {
    // net.connect hands over arguments that it has normalised already: one array of options and callback.
    const list = Array.isArray(args[0]) ? args[0] : args;
    let options = list[0];
    if (isPort(options)) {
      options = { port: Number(options), host: typeof list[1] === 'string' ? list[1] : 'localhost' };
    } else if (options !== null && typeof options === 'object' && options.port !== undefined && !options.path)
      options = { ...options };
    else return connect.apply(this, args);
    const host = options.host === undefined || options.host === null ? 'localhost' : options.host;
    if (host !== 'localhost' && host !== '127.0.0.1' && host !== '::1') return connect.apply(this, args);
    const callback = list.find((arg) => typeof arg === 'function');
    const mapped = { ...options, host: 'localhost', lookup, family: 0, autoSelectFamily: true };
    return callback ? connect.call(this, mapped, callback) : connect.call(this, mapped);
  };
}

function mapNames() {
  const dns = require('node:dns');
  const fs = require('node:fs');
  const search = (process.env.KIND_E2E_DNS_SEARCH || '').split(' ').filter(Boolean);
  const clusterDomain = search.find((domain) => !domain.includes('svc')) || 'cluster.local';
  const NDOTS = 5;
  const CACHE_MS = 1000;
  const MAX_CACHE = 500;
  const resolver = new dns.Resolver({ timeout: 1000, tries: 3 });
  resolver.setServers([process.env.KIND_E2E_DNS]);
  const systemLookup = dns.lookup;
  const cache = new Map();
  let hosts;

  const readHosts = () => {
    hosts = new Map();
    try {
      for (const line of fs.readFileSync('/etc/hosts', 'utf8').split('\n')) {
        const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
        if (net.isIPv4(address || '')) for (const name of names) if (!hosts.has(name)) hosts.set(name, address);
      }
    } catch {
      // No hosts file: names come from the DNS alone.
    }
  };

  const candidates = (name) => {
    if (name.endsWith('.')) return [name.slice(0, -1)];
    const searched = search.map((domain) => `${name}.${domain}`);
    return name.split('.').length - 1 >= NDOTS ? [name, ...searched] : [...searched, name];
  };

  /** Calls back with the addresses of a name, or with an empty list when the cluster does not know it. */
  const ask = (name, callback) => {
    const known = cache.get(name);
    if (known && known.until > Date.now()) {
      process.nextTick(callback, null, known.addresses);
      return;
    }
    const rest = candidates(name);
    let failure = null;
    const next = () => {
      const candidate = rest.shift();
      if (candidate === undefined) {
        if (failure) callback(failure, []);
        else remember([]);
        return;
      }
      resolver.resolve4(candidate, (error, addresses) => {
        if (!error && addresses.length > 0) {
          remember(addresses);
          return;
        }
        if (error && error.code !== 'ENOTFOUND' && error.code !== 'ENODATA') failure = error;
        next();
      });
    };
    const remember = (addresses) => {
      if (cache.size >= MAX_CACHE) cache.clear();
      cache.set(name, { addresses, until: Date.now() + CACHE_MS });
      callback(null, addresses);
    };
    next();
  };

  const lookup = (hostname, options, callback) => {
    let settings = options;
    let call = callback;
    if (typeof options === 'function') {
      call = options;
      settings = {};
    } else if (typeof options === 'number') settings = { family: options };
    settings = settings || {};
    const name = typeof hostname === 'string' ? hostname.toLowerCase() : hostname;
    if (!name || typeof name !== 'string' || net.isIP(name) || name === 'localhost' || name.endsWith('.localhost'))
      return systemLookup.call(dns, hostname, options, callback);
    if (settings.family === 6 || settings.family === 'IPv6') return systemLookup.call(dns, hostname, options, callback);
    if (hosts === undefined) readHosts();
    const fromHosts = hosts.get(name);
    const answer = (addresses) => {
      if (settings.all)
        call(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        );
      else call(null, addresses[0], 4);
    };
    if (fromHosts) {
      process.nextTick(answer, [fromHosts]);
      return {};
    }
    ask(name, (error, addresses) => {
      if (addresses.length > 0) {
        answer(addresses);
        return;
      }
      const isOfCluster =
        !name.includes('.') || name === clusterDomain || name.endsWith(`.${clusterDomain}`) || /\.svc$/.test(name);
      if (!isOfCluster) {
        systemLookup.call(dns, hostname, settings, call);
        return;
      }
      const code = error ? 'EAI_AGAIN' : 'ENOTFOUND';
      const notFound = new Error(`getaddrinfo ${code} ${hostname}`);
      notFound.code = code;
      notFound.errno = code === 'ENOTFOUND' ? -3008 : -3001;
      notFound.syscall = 'getaddrinfo';
      notFound.hostname = hostname;
      call(notFound);
    });
    return {};
  };

  const promisedLookup = (hostname, options) =>
    new Promise((resolve, reject) => {
      const settings = typeof options === 'number' ? { family: options } : options || {};
      lookup(hostname, settings, (error, address, family) => {
        if (error) reject(error);
        else resolve(settings.all ? address : { address, family });
      });
    });
  const { promisify } = require('node:util');
  Object.defineProperty(lookup, promisify.custom, { value: promisedLookup, enumerable: false });
  dns.lookup = lookup;
  dns.promises.lookup = promisedLookup;
  try {
    dns.setServers([process.env.KIND_E2E_DNS]);
  } catch {
    // A server that c-ares does not take leaves resolve4 and its like with the system's.
  }
}

if (process.env.KIND_E2E_PATHS) mapPaths();

/** Where the system has no mount namespaces: container paths that are elsewhere on this machine. */
function mapPaths() {
  const fs = require('node:fs');
  const { fileURLToPath } = require('node:url');
  const mapping = JSON.parse(process.env.KIND_E2E_PATHS);
  const map = (value) => {
    const path = value instanceof URL && value.protocol === 'file:' ? fileURLToPath(value) : value;
    if (typeof path !== 'string' || path[0] !== '/') return value;
    for (const [from, to] of mapping)
      if (path === from || path.startsWith(`${from}/`)) return to + path.slice(from.length);
    return value;
  };
  const ONE = [
    'access',
    'appendFile',
    'chmod',
    'chown',
    'createReadStream',
    'createWriteStream',
    'exists',
    'lchown',
    'lstat',
    'lutimes',
    'mkdir',
    'mkdtemp',
    'open',
    'openAsBlob',
    'opendir',
    'readdir',
    'readFile',
    'readlink',
    'realpath',
    'rm',
    'rmdir',
    'stat',
    'statfs',
    'truncate',
    'unlink',
    'unwatchFile',
    'utimes',
    'watch',
    'watchFile',
    'writeFile',
  ];
  const TWO = ['copyFile', 'cp', 'link', 'rename'];
  const wrap = (object, name, count) => {
    const original = object[name];
    if (typeof original !== 'function') return;
    const wrapped = function (...args) {
      for (let index = 0; index < count; index++) args[index] = map(args[index]);
      return original.apply(this, args);
    };
    Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
    object[name] = wrapped;
  };
  for (const [names, count] of [
    [ONE, 1],
    [TWO, 2],
  ])
    for (const name of names) {
      wrap(fs, name, count);
      wrap(fs, `${name}Sync`, count);
      wrap(fs.promises, name, count);
    }
}

require('node:module').syncBuiltinESMExports();
