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

// Parts that are the same for all. `words` has what clients call by different names: client(),
// open(database), close(client), getBytes(key), getMany(keys), setMany(client, values),
// setFor(key, value, seconds), keys(client, pattern), size(client), flush(client).
function sharedParts(words) {
  async function largeValues() {
    const client = words.client();
    for (const value of [binary, Buffer.alloc(900000, 7), Buffer.alloc(0)]) {
      await client.set('large', value);
      assert.deepStrictEqual(await words.getBytes('large'), value);
    }
    await client.set('large', 'old');
    await assert.rejects(client.set('large', Buffer.alloc(3 << 20)), errors.valueTooLong);
    assert.strictEqual(await client.get('large'), 'old');
  }

  async function longKeys() {
    const client = words.client();
    const key = 'k'.repeat(65535);
    await client.set(key, 'v');
    assert.deepStrictEqual(await words.getMany([key, 'none']), ['v', null]);
    await assert.rejects(client.set(`${key}k`, 'v'), errors.keyTooLong);
    assert.strictEqual(await client.ping(), 'PONG');
  }

  async function databases() {
    const third = await words.open(3);
    await words.client().set('here', '0');
    assert.strictEqual(await third.get('here'), null);
    await third.set('here', '3');
    await third.select(0);
    assert.strictEqual(await third.get('here'), '0');
    await assert.rejects(third.select(16), errors.outOfRange);
    words.close(third);
  }

  async function keysEndAtTheirLimit() {
    const fifth = await words.open(5);
    const all = {};
    for (let i = 0; i < manyKeys; ++i) all[`name:${i}`] = 'v';
    await words.setMany(fifth, all);
    assert.ok((await words.keys(fifth, '*')).length < keysListedMax);
    assert.strictEqual(await words.size(fifth), manyKeys);
    await words.flush(fifth);
    assert.strictEqual(await words.size(fifth), 0);
    words.close(fifth);
  }

  async function sharedWithMemcached() {
    const value = await words.getBytes('from-memcached');
    assert.deepStrictEqual(value, binary);
    await words.setFor('from-redis', value, 100);
    assert.strictEqual(await words.client().incr('shared-number'), 42);
  }

  return [largeValues, longKeys, databases, keysEndAtTheirLimit, sharedWithMemcached];
}

module.exports = { host, port: Number(port), password: password || undefined, runParts, sharedParts,
  near, cut, unicode, errors };
