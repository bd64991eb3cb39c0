// What the scripts of npm's Redis clients share: where the server is, and how a test is told.
//
//   node SCRIPT HOST PORT [PASSWORD]
//
// The password may be empty: then the server wants none.
'use strict';

const assert = require('assert');

const [, , host, port, password] = process.argv;

// Runs the parts one after the other and tells each. Exits 0 if every answer is right.
async function runParts(parts, close) {
  try {
    for (const part of parts) {
      await part();
      console.log(`ok ${part.name}`);
    }
    await close();
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

// What `--keys-output-limit` of the server lets pass is far below this.
const manyKeys = 20000;
const keysListedMax = 5000;

// Some of the time may have passed.
function near(remains, wanted) {
  assert.ok(remains <= wanted && remains > 0.7 * wanted, `${remains}, not ${wanted}`);
}

// The test cuts the connection that asks PING for this, once.
const cut = 'cut-this-connection';

// Bytes of every kind, and of the two line ends.
const binary = Buffer.from([...Array(256).keys(), 13, 10, 13, 10]);
const unicode = 'Grüße, 世界 \u{1F4E6}';

// Their first word, ERR or another, is left to each client: valkey-glide has its own for each.
const errors = {
  notInteger: /value is not an integer or out of range/,
  unknown: /unknown command/,
  keyTooLong: /key is longer than 65535 bytes/,
  valueTooLong: /string exceeds maximum allowed size \(proto-max-bulk-len\)/,
  outOfRange: /DB index is out of range/,
  aborted: /Transaction discarded because of previous errors/,
  notWelcome: /Authentication required|invalid username-password pair or user is disabled/,
};

module.exports = {
  host, port: Number(port), password: password || undefined, runParts, near, manyKeys,
  keysListedMax, cut, binary, unicode, errors,
};
