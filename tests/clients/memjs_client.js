// npm `memjs` against the server at argv[2] (host:port), with a user and a password if argv has
// them. Exits 0 if every answer is right. memjs speaks binary only.
'use strict';

const assert = require('assert');
const memjs = require('memjs');

const [, , server, username, password] = process.argv;
const client = memjs.Client.create(server, { username, password, timeout: 30, retries: 1 });

async function storingVerbs() {
  assert.strictEqual(await client.set('k', 'one', {}), true);
  assert.strictEqual((await client.get('k')).value.toString(), 'one');
  assert.strictEqual(await client.add('k', 'two', {}), false);
  assert.strictEqual(await client.add('new', 'two', {}), true);
  assert.strictEqual(await client.replace('k', 'three', {}), true);
  assert.strictEqual(await client.replace('missing', 'x', {}), false);
  assert.strictEqual(await client.append('k', '-end'), true);
  assert.strictEqual((await client.get('k')).value.toString(), 'three-end');
  assert.strictEqual((await client.get('missing')).value, null);
}

async function largeValues() {
  for (const value of [Buffer.from([0, 13, 10, 255]), Buffer.alloc(700000, 7), Buffer.alloc(0)]) {
    assert.strictEqual(await client.set('large', value, { expires: 100 }), true);
    assert.deepStrictEqual((await client.get('large')).value, value);
  }
}

async function manyAtOnce() {
  const keys = Array.from({ length: 300 }, (_, i) => `many${i}`);
  await Promise.all(keys.map((key, i) => client.set(key, `${i}`, {})));
  const found = await Promise.all(keys.map((key) => client.get(key)));
  found.forEach(({ value }, i) => assert.strictEqual(value.toString(), `${i}`));
}

async function numbersAndDeletes() {
  assert.strictEqual((await client.increment('n', 5, { initial: 10 })).value, 10);
  assert.strictEqual((await client.increment('n', 5, { initial: 10 })).value, 15);
  assert.strictEqual((await client.decrement('n', 20, {})).value, 0);
  assert.strictEqual(await client.touch('n', 100), true);
  assert.strictEqual(await client.delete('n'), true);
  assert.strictEqual(await client.delete('n'), false);
}

async function serverVerbs() {
  const stats = await new Promise((resolve, reject) => {
    client.stats((error, from, found) => (error ? reject(error) : resolve(found)));
  });
  assert.ok(Number(stats.curr_items) > 0);
  await client.flush();
  assert.strictEqual((await client.get('k')).value, null);
}

async function main() {
  for (const part of [storingVerbs, largeValues, manyAtOnce, numbersAndDeletes, serverVerbs]) {
    await part();
    console.log(`ok ${part.name}`);
  }
  client.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
