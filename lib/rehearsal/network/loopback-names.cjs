// Names of the rehearsal in a Node.js program of its own: required by what hosts a function, or preloaded by
// "node --require" with the names as JSON in LOOPBACK_NAMES.
'use strict';

const dns = require('node:dns');

/** A VPC's resolver knows the names of its instances; nothing else is to be found here. */
function resolveOnly(names) {
  dns.lookup = (host, options, callback) => {
    const done = typeof options === 'function' ? options : callback;
    const all = typeof options === 'object' && options.all;
    const address = /^[\d.]+$/.test(host) ? host : names[host];
    if (!address) return process.nextTick(done, Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host, syscall: 'getaddrinfo' }));
    process.nextTick(done, null, ...(all ? [[{ address, family: 4 }]] : [address, 4]));
  };
}

// eslint-disable-next-line no-restricted-properties -- how it is told, when it is preloaded
const { LOOPBACK_NAMES: names } = process.env;
if (names) resolveOnly(JSON.parse(names));

module.exports = { resolveOnly };
