// npm `keyv` with its adapter `@keyv/redis` against a server.
'use strict';

const assert = require('assert');
const { default: Keyv } = require('keyv');
const { default: KeyvRedis } = require('@keyv/redis');
const { host, port, password, runParts, cut, unicode } = require('./resp_client_parts.js');

function connect(namespace, options) {
  const store = new KeyvRedis({ socket: { host, port, reconnectStrategy: () => 1 }, password });
  const keyv = new Keyv({ store, namespace, throwOnErrors: true, ...options });
  keyv.on('error', () => {});
  return keyv;
}

const keyv = connect('app');

async function valuesOfEveryType() {
  for (const value of ['text', 42, true, null, { a: [1, unicode] }, 'x'.repeat(900000)]) {
    assert.strictEqual(await keyv.set('typed', value), true);
    assert.deepStrictEqual(await keyv.get('typed'), value);
  }
  assert.strictEqual(await keyv.get('none'), undefined);
  assert.strictEqual(await keyv.has('typed'), true);
  assert.strictEqual(await keyv.delete('typed'), true);
  assert.strictEqual(await keyv.delete('typed'), false);
  assert.strictEqual(await keyv.has('typed'), false);
}

async function expiry() {
  await keyv.set('t', 'v', 100000);
  const client = keyv.store.client;
  const [key] = await client.keys('*t');
  const remains = await client.pTTL(key);
  assert.ok(remains > 50000 && remains <= 100000, String(remains));
}

async function severalKeys() {
  await keyv.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 2, ttl: 100000 }]);
  assert.deepStrictEqual(await keyv.getMany(['a', 'none', 'b']), [1, undefined, 2]);
  assert.deepStrictEqual(await keyv.hasMany(['a', 'none', 'b']), [true, false, true]);
  assert.strictEqual(await keyv.deleteMany(['a', 'b']), true);
  assert.strictEqual(await keyv.get('b'), undefined);
}

async function namespaces() {
  const other = connect('other');
  const names = Array.from({ length: 1000 }, (_, i) => `name${i}`);
  await other.setMany(names.map((key) => ({ key, value: key })));
  const found = new Set();
  for await (const [key, value] of other.iterator()) {
    assert.strictEqual(key, value);
    found.add(key);
  }
  assert.strictEqual(found.size, names.length);
  await keyv.set('mine', 'v');
  await other.clear();
  assert.strictEqual(await other.get('name1'), undefined);
  assert.strictEqual(await keyv.get('mine'), 'v');
  await other.disconnect();
}

async function reconnects() {
  await assert.rejects(keyv.store.client.ping(cut));
  assert.strictEqual(await keyv.get('mine'), 'v');
}

async function leavesAValue() {
  await keyv.set('left', 'for Memcached', 100000);
}

runParts([valuesOfEveryType, expiry, severalKeys, namespaces, reconnects, leavesAValue],
  () => keyv.disconnect());
