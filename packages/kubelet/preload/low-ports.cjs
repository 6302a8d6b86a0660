/*
 * Ports below 1024 for ordinary users. Linux keeps them from whoever lacks a capability on the machine's network, which
 * no user namespace can give; containers of a real cluster may use them (Docker and containerd set
 * `net.ipv4.ip_unprivileged_port_start=0`). All pods of a lab share the loopback network, so the lab agrees on another
 * place: port p of a pod or service address is socket port 64000 + p. Programs see p: in what they ask for, in
 * `server.address()` and in `socket.remotePort`.
 *
 * Where nobody listens at the shifted port the real one is tried: a program that is not Node.js may hold it.
 * Loaded into the pods' Node.js programs by the preload and into the control plane, which probes and forwards.
 */
'use strict';

const SHIFT = 64_000;

/** Shifts ports below `limit` (`net.ipv4.ip_unprivileged_port_start`) on the lab's addresses. */
module.exports = function shiftLowPorts(limit) {
  if (!(limit > 0)) return;
  // The handles below every net.Socket, whoever made it (http, tls, undici): the only place that sees address and port.
  const { TCP, TCPConnectWrap } = process.binding('tcp_wrap');
  const { UV_ECONNREFUSED, UV_ECONNABORTED } = process.binding('uv');
  const isLow = (address, port) => port > 0 && port < limit && isLabAddress(address);
  const { bind, connect, getsockname, getpeername } = TCP.prototype;

  /** Linux answers the first connect after a refused one with ECONNABORTED, then the socket is as new. */
  const again = (handle, request, address, port) => {
    const error = connect.call(handle, request, address, port);
    return error === UV_ECONNABORTED ? connect.call(handle, request, address, port) : error;
  };

  TCP.prototype.bind = function (address, port, ...rest) {
    return bind.call(this, address, isLow(address, port) ? port + SHIFT : port, ...rest);
  };

  TCP.prototype.connect = function (request, address, port) {
    if (!isLow(address, port)) return connect.call(this, request, address, port);
    const shifted = new TCPConnectWrap();
    const done = (status, _handle, _request, readable, writable) => {
      if (status === UV_ECONNREFUSED && again(this, request, address, port) === 0) return;
      request.oncomplete(status, this, request, readable, writable);
    };
    shifted.oncomplete = done;
    return connect.call(this, shifted, address, port + SHIFT);
  };

  const seen = (read) =>
    function (out) {
      const error = read.call(this, out);
      if (error === 0 && out.port > SHIFT && out.port < SHIFT + limit && isLabAddress(out.address)) out.port -= SHIFT;
      return error;
    };
  TCP.prototype.getsockname = seen(getsockname);
  TCP.prototype.getpeername = seen(getpeername);
};

/** Pods, services and nodes; 127.0.0.1 is the user's own. */
function isLabAddress(address) {
  return typeof address === 'string' && address.startsWith('127.') && address !== '127.0.0.1';
}
