// npm `@valkey/valkey-glide` against a server.
'use strict';

const assert = require('assert');
const {
  Batch, Decoder, ExpireOptions, GlideClient, InfoOptions, Logger, ProtocolVersion, RequestError,
  TimeUnit,
} = require('@valkey/valkey-glide');
const {
  host, port, password, runParts, sharedParts, near, cut, unicode, errors,
} = require('./resp_client_parts.js');

Logger.init('off');
const protocol = process.env.LARDER_TEST_MODULE === '2'
  ? ProtocolVersion.RESP2 : ProtocolVersion.RESP3;

function connect(options) {
  return GlideClient.createClient({
    addresses: [{ host, port }],
    credentials: password ? { password } : undefined,
    protocol,
    requestTimeout: 30000,
    ...options,
  });
}

let client;

async function connects() {
  client = await connect({ clientName: 'tests' });
  assert.strictEqual(await client.clientGetName(), 'tests');
}

async function strings() {
  assert.strictEqual(await client.set('k', 'one'), 'OK');
  assert.strictEqual(await client.get('k'), 'one');
  assert.strictEqual(await client.get('none'), null);
  assert.strictEqual(
    await client.set('k', 'two', { conditionalSet: 'onlyIfDoesNotExist' }), null);
  assert.strictEqual(await client.set('k', 'two', { returnOldValue: true }), 'one');
  assert.strictEqual(await client.append('k', '-end'), 7);
  assert.strictEqual(await client.getrange('k', 0, 2), 'two');
  assert.strictEqual(await client.getdel('k'), 'two-end');
  assert.strictEqual(await client.exists(['k']), 0);
  await client.set(unicode, unicode);
  assert.strictEqual(await client.get(unicode), unicode);
}

async function expiry() {
  await client.set('t', 'v', { expiry: { type: TimeUnit.Seconds, count: 100 } });
  near(await client.ttl('t'), 100);
  assert.strictEqual(
    await client.getex('t', { expiry: { type: TimeUnit.Milliseconds, duration: 50000 } }), 'v');
  near(await client.pttl('t'), 50000);
  assert.strictEqual(
    await client.expire('t', 10, { expireOption: ExpireOptions.NewExpiryGreaterThanCurrent }),
    false);
  assert.strictEqual(await client.persist('t'), true);
  assert.strictEqual(await client.ttl('t'), -1);
  assert.strictEqual(await client.expireAt('t', 1), true);
  assert.strictEqual(await client.ttl('t'), -2);
}

async function severalKeys() {
  assert.strictEqual(await client.mset({ a: '1', b: '2' }), 'OK');
  assert.deepStrictEqual(await client.mget(['a', 'none', 'b']), ['1', null, '2']);
  assert.strictEqual(await client.msetnx({ b: '3', c: '4' }), false);
  assert.strictEqual(await client.rename('b', 'c'), 'OK');
  assert.strictEqual(await client.copy('c', 'd'), true);
  assert.strictEqual(await client.unlink(['a', 'b', 'c', 'd']), 3);
}

async function numbers() {
  assert.strictEqual(await client.incr('n'), 1);
  assert.strictEqual(await client.incrBy('n', 41), 42);
  assert.strictEqual(await client.decrBy('n', 50), -8);
  assert.strictEqual(await client.incrByFloat('n', 0.5), -7.5);
}

async function transactions() {
  assert.deepStrictEqual(
    await client.exec(new Batch(true).set('x', '1').incr('x').get('none'), true),
    ['OK', 2, null]);
  const other = await connect();
  await client.watch(['x']);
  await other.set('x', 'changed');
  assert.strictEqual(await client.exec(new Batch(true).set('x', 'lost'), true), null);
  assert.strictEqual(await client.get('x'), 'changed');
  await assert.rejects(
    client.exec(new Batch(true).set('x', 'lost').lpush('list', ['v']), true), RequestError);
  assert.strictEqual(await client.get('x'), 'changed');
  other.close();
}

async function pipelines() {
  const batch = new Batch(false);
  for (let i = 0; i < 1000; ++i) batch.set(`p${i}`, String(i)).get(`p${i}`);
  (await client.exec(batch, true)).forEach((reply, i) => {
    assert.strictEqual(reply, i % 2 ? String((i - 1) / 2) : 'OK');
  });
}

async function scans() {
  const found = new Set();
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, { match: 'p*', count: 100 });
    keys.forEach((key) => found.add(key));
    cursor = next;
  } while (cursor !== '0');
  assert.strictEqual(found.size, 1000);
  assert.strictEqual((await client.customCommand(['KEYS', 'p99?'])).length, 10);
}

async function wrongRequests() {
  const id = await client.clientId();
  await client.set('text', 'abc');
  await assert.rejects(client.incr('text'), errors.notInteger);
  await assert.rejects(client.lpush('list', ['v']), errors.unknown);
  await assert.rejects(client.customCommand(['EVAL', 'return 1', '0']), errors.unknown);
  assert.strictEqual(await client.clientId(), id);
}

async function tellsAboutItself() {
  assert.match(await client.info([InfoOptions.Replication]), /role:master/);
  assert.strictEqual((await client.configGet(['maxmemory-policy']))['maxmemory-policy'],
    'allkeys-lfu');
  assert.strictEqual((await client.time()).length, 2);
}

async function reconnects() {
  const id = await client.clientId();
  await client.ping({ message: cut }).catch(() => {});
  assert.notStrictEqual(await client.clientId(), id);
  assert.strictEqual(await client.clientGetName(), 'tests');
}

async function strangers() {
  if (!password) return;
  await assert.rejects(connect({ credentials: { password: 'wrong' } }),
    /Password authentication failed|WRONGPASS/);
}

// What valkey-glide calls by names of its own.
const words = {
  client: () => client,
  open: (databaseId) => connect({ databaseId }),
  close: (other) => other.close(),
  getBytes: (key) => client.get(key, { decoder: Decoder.Bytes }),
  getMany: (keys) => client.mget(keys),
  setMany: (other, values) => other.mset(values),
  setFor: (key, value, seconds) => client.set(
    key, value, { expiry: { type: TimeUnit.Seconds, count: seconds } }),
  keys: (other, pattern) => other.customCommand(['KEYS', pattern]),
  size: (other) => other.dbsize(),
  flush: (other) => other.flushdb(),
};

runParts([connects, strings, expiry, severalKeys, numbers, transactions, pipelines, scans,
  wrongRequests, tellsAboutItself, reconnects, strangers, ...sharedParts(words)], () =>
  client.close());
