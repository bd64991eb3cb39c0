// npm `redis` (node-redis) against a server, in RESP2 or RESP3 (LARDER_TEST_MODULE: 2 or 3).
'use strict';

const assert = require('assert');
const { createClient, RESP_TYPES, WatchError } = require('redis');
const {
  host, port, password, runParts, sharedParts, near, cut, unicode, errors,
} = require('./resp_client_parts.js');

const RESP = Number(process.env.LARDER_TEST_MODULE);

async function connect(options) {
  const client = createClient({
    socket: { host, port, reconnectStrategy: () => 1 }, password, RESP, ...options,
  });
  client.on('error', () => {});
  return client.connect();
}

let client;
let buffers;  // the same client, but values are bytes

async function connects() {
  client = await connect({ name: 'tests' });
  buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  assert.strictEqual(await client.clientGetName(), 'tests');
  const info = await client.clientInfo();
  assert.strictEqual(info.name, 'tests');
  assert.strictEqual(info.resp, RESP);
}

async function strings() {
  assert.strictEqual(await client.set('k', 'one'), 'OK');
  assert.strictEqual(await client.get('k'), 'one');
  assert.strictEqual(await client.get('none'), null);
  assert.strictEqual(await client.set('k', 'two', { condition: 'NX' }), null);
  assert.strictEqual(await client.set('k', 'two', { GET: true }), 'one');
  assert.strictEqual(await client.setRange('k', 3, '-end'), 7);
  assert.strictEqual(await client.strLen('k'), 7);
  assert.strictEqual(await client.getDel('k'), 'two-end');
  assert.strictEqual(await client.exists('k'), 0);
  await client.set(unicode, unicode);
  assert.strictEqual(await client.get(unicode), unicode);
}

async function expiry() {
  await client.set('t', 'v', { expiration: { type: 'EX', value: 100 } });
  near(await client.ttl('t'), 100);
  assert.strictEqual(await client.getEx('t', { type: 'PX', value: 50000 }), 'v');
  near(await client.pTTL('t'), 50000);
  assert.strictEqual(await client.expire('t', 10, 'GT'), 0);
  assert.strictEqual(await client.persist('t'), 1);
  assert.strictEqual(await client.ttl('t'), -1);
  assert.strictEqual(await client.expireAt('t', new Date(1000)), 1);
  assert.strictEqual(await client.ttl('t'), -2);
}

async function severalKeys() {
  assert.strictEqual(await client.mSet([['a', '1'], ['b', '2']]), 'OK');
  assert.deepStrictEqual(await client.mGet(['a', 'none', 'b']), ['1', null, '2']);
  assert.strictEqual(await client.mSetNX({ b: '3', c: '4' }), 0);
  assert.strictEqual(await client.renameNX('b', 'c'), 1);
  assert.strictEqual(await client.copy('c', 'd'), 1);
  assert.strictEqual(await client.unlink(['a', 'b', 'c', 'd']), 3);
}

async function numbers() {
  assert.strictEqual(await client.incr('n'), 1);
  assert.strictEqual(await client.incrBy('n', 41), 42);
  assert.strictEqual(await client.decrBy('n', 50), -8);
  assert.strictEqual(await client.incrByFloat('n', 0.5), '-7.5');
}

async function transactions() {
  assert.deepStrictEqual(await client.multi().set('x', '1').incr('x').get('none').exec(),
    ['OK', 2, null]);
  const other = await connect();
  await client.watch('x');
  await other.set('x', 'changed');
  await assert.rejects(client.multi().set('x', 'lost').exec(), WatchError);
  assert.strictEqual(await client.get('x'), 'changed');
  await assert.rejects(client.multi().set('x', 'lost').lPush('list', 'v').exec());
  assert.strictEqual(await client.get('x'), 'changed');
  other.destroy();
}

async function pipelines() {
  // What is asked in one turn of the event loop is sent together.
  const asked = [];
  for (let i = 0; i < 1000; ++i) asked.push(client.set(`p${i}`, String(i)), client.get(`p${i}`));
  (await Promise.all(asked)).forEach((reply, i) => {
    assert.strictEqual(reply, i % 2 ? String((i - 1) / 2) : 'OK');
  });
  const replies = await client.multi().get('p1').incr('p2').execAsPipeline();
  assert.deepStrictEqual(replies, ['1', 3]);
}

async function scans() {
  const found = new Set();
  for await (const keys of client.scanIterator({ MATCH: 'p*', COUNT: 100 })) {
    keys.forEach((key) => found.add(key));
  }
  assert.strictEqual(found.size, 1000);
  assert.strictEqual((await client.keys('p99?')).length, 10);
}

async function wrongRequests() {
  const id = await client.clientId();
  await client.set('text', 'abc');
  await assert.rejects(client.incr('text'), errors.notInteger);
  await assert.rejects(client.hSet('hash', 'field', 'v'), errors.unknown);
  await assert.rejects(client.eval('return 1'), errors.unknown);
  assert.strictEqual(await client.clientId(), id);
}

async function reconnects() {
  const id = await client.clientId();
  await assert.rejects(client.ping(cut));
  assert.notStrictEqual(await client.clientId(), id);
  assert.strictEqual(await client.clientGetName(), 'tests');
}

async function strangers() {
  if (!password) return;
  await assert.rejects(connect({
    password: 'wrong', socket: { host, port, reconnectStrategy: false },
  }), errors.notWelcome);
}

// What node-redis calls by names of its own.
const words = {
  client: () => client,
  open: (database) => connect({ database }),
  close: (other) => other.destroy(),
  getBytes: (key) => buffers.get(key),
  getMany: (keys) => client.mGet(keys),
  setMany: (other, values) => other.mSet(values),
  setFor: (key, value, seconds) => client.setEx(key, seconds, value),
  keys: (other, pattern) => other.keys(pattern),
  size: (other) => other.dbSize(),
  flush: (other) => other.flushDb(),
};

runParts([connects, strings, expiry, severalKeys, numbers, transactions, pipelines, scans,
  wrongRequests, reconnects, strangers, ...sharedParts(words)], () => client.close());
