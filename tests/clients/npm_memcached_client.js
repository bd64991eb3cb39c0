// npm `memcached` against the server at argv[2] (host:port). Exits 0 if every answer is right.
'use strict';

const assert = require('assert');
const Memcached = require('memcached');

const client = new Memcached(process.argv[2], { retries: 0, timeout: 30000, poolSize: 4 });

// The client's methods as promises.
function call(method, ...args) {
  return new Promise((resolve, reject) => {
    client[method](...args, (error, data) => (error ? reject(error) : resolve(data)));
  });
}

async function storingVerbs() {
  assert.strictEqual(await call('set', 'k', 'one', 0), true);
  assert.strictEqual(await call('get', 'k'), 'one');
  await assert.rejects(call('add', 'k', 'two', 0));
  assert.strictEqual(await call('add', 'new', 'two', 0), true);
  assert.strictEqual(await call('replace', 'k', 'three', 0), true);
  await assert.rejects(call('replace', 'missing', 'x', 0));
  assert.strictEqual(await call('append', 'k', '-end'), true);
  assert.strictEqual(await call('prepend', 'k', 'start-'), true);
  assert.strictEqual(await call('get', 'k'), 'start-three-end');
  assert.strictEqual(await call('get', 'missing'), undefined);
}

async function valuesOfEveryType() {
  for (const value of [{ a: [1, 2] }, Buffer.from([0, 13, 10, 255]), 'x'.repeat(500000)]) {
    await call('set', 'typed', value, 0);
    assert.deepStrictEqual(await call('get', 'typed'), value);
  }
}

async function manyKeys() {
  const keys = Array.from({ length: 300 }, (_, i) => `many${i}`);
  await Promise.all(keys.map((key, i) => call('set', key, i, 0)));
  const found = await call('getMulti', [...keys, 'missing']);
  assert.strictEqual(Object.keys(found).length, keys.length);
  keys.forEach((key, i) => assert.strictEqual(found[key], i));
}

async function compareAndSwap() {
  await call('set', 'c', 'one', 0);
  const { c, cas } = await call('gets', 'c');
  assert.strictEqual(c, 'one');
  assert.strictEqual(await call('cas', 'c', 'two', cas, 0), true);
  assert.strictEqual(await call('cas', 'c', 'three', cas, 0), false);
  assert.strictEqual(await call('get', 'c'), 'two');
}

async function numbersAndDeletes() {
  await call('set', 'n', 10, 0);
  assert.strictEqual(await call('incr', 'n', 5), 15);
  assert.strictEqual(await call('decr', 'n', 20), 0);
  assert.strictEqual(await call('incr', 'missing', 1), false);
  assert.strictEqual(await call('touch', 'n', 100), true);
  assert.strictEqual(await call('del', 'n'), true);
  assert.strictEqual(await call('del', 'n'), false);
}

async function serverVerbs() {
  const [stats] = await call('stats');
  assert.ok(stats.curr_items > 0);
  const [settings] = await call('settings');
  assert.ok(settings.maxbytes > 0);
  const [version] = await call('version');
  assert.strictEqual(`${version.major}.${version.minor}`, '1.6');
  await call('flush');
  assert.strictEqual(await call('get', 'k'), undefined);
}

async function main() {
  for (const part of [storingVerbs, valuesOfEveryType, manyKeys, compareAndSwap,
    numbersAndDeletes, serverVerbs]) {
    await part();
    console.log(`ok ${part.name}`);
  }
  client.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
