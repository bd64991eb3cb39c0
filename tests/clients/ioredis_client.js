// npm `ioredis`, or its descendant `iovalkey` (LARDER_TEST_MODULE), against a server.
'use strict';

const assert = require('assert');
const {
  host, port, password, runParts, sharedParts, near, cut, unicode, errors,
} = require('./resp_client_parts.js');

const { Redis } = require(process.env.LARDER_TEST_MODULE);

function connect(options) {
  return new Redis({ host, port, password, retryStrategy: () => 1, ...options });
}

const client = connect({ connectionName: 'tests' });

async function strings() {
  assert.strictEqual(await client.set('k', 'one'), 'OK');
  assert.strictEqual(await client.get('k'), 'one');
  assert.strictEqual(await client.get('none'), null);
  assert.strictEqual(await client.set('k', 'two', 'NX'), null);
  assert.strictEqual(await client.set('k', 'two', 'GET'), 'one');
  assert.strictEqual(await client.append('k', '-end'), 7);
  assert.strictEqual(await client.getrange('k', 0, 2), 'two');
  assert.strictEqual(await client.getdel('k'), 'two-end');
  assert.strictEqual(await client.exists('k'), 0);
  await client.set(unicode, unicode);
  assert.strictEqual(await client.get(unicode), unicode);
}

async function expiry() {
  await client.set('t', 'v', 'EX', 100);
  near(await client.ttl('t'), 100);
  assert.strictEqual(await client.getex('t', 'PX', 50000), 'v');
  near(await client.pttl('t'), 50000);
  assert.strictEqual(await client.persist('t'), 1);
  assert.strictEqual(await client.ttl('t'), -1);
  assert.strictEqual(await client.pexpireat('t', 1), 1);
  assert.strictEqual(await client.ttl('t'), -2);
}

async function severalKeys() {
  assert.strictEqual(await client.mset({ a: '1', b: '2' }), 'OK');
  assert.deepStrictEqual(await client.mget('a', 'none', 'b'), ['1', null, '2']);
  assert.strictEqual(await client.msetnx('b', '3', 'c', '4'), 0);
  assert.strictEqual(await client.rename('b', 'c'), 'OK');
  assert.strictEqual(await client.copy('c', 'd'), 1);
  assert.strictEqual(await client.del('a', 'b', 'c', 'd'), 3);
}

async function numbers() {
  assert.strictEqual(await client.incr('n'), 1);
  assert.strictEqual(await client.incrby('n', 41), 42);
  assert.strictEqual(await client.decrby('n', 50), -8);
  assert.strictEqual(await client.incrbyfloat('n', 0.5), '-7.5');
}

async function transactions() {
  assert.deepStrictEqual(
    await client.multi().set('x', '1').incr('x').get('none').exec(),
    [[null, 'OK'], [null, 2], [null, null]]);
  const other = connect();
  await client.watch('x');
  await other.set('x', 'changed');
  assert.strictEqual(await client.multi().set('x', 'lost').exec(), null);
  assert.strictEqual(await client.get('x'), 'changed');
  await assert.rejects(client.multi().set('x', 'lost').lpush('list', 'v').exec(), errors.aborted);
  assert.strictEqual(await client.get('x'), 'changed');
  other.disconnect();
}

async function pipelines() {
  const pipeline = client.pipeline();
  for (let i = 0; i < 1000; ++i) pipeline.set(`p${i}`, i).get(`p${i}`);
  const replies = await pipeline.exec();
  replies.forEach(([error, reply], i) => {
    assert.strictEqual(error, null);
    assert.strictEqual(reply, i % 2 ? String((i - 1) / 2) : 'OK');
  });
}

async function scans() {
  const found = new Set();
  for await (const keys of client.scanStream({ match: 'p*', count: 100 })) {
    keys.forEach((key) => found.add(key));
  }
  assert.strictEqual(found.size, 1000);
  assert.strictEqual((await client.keys('p99?')).length, 10);
}

async function wrongRequests() {
  const id = await client.client('ID');
  await client.set('text', 'abc');
  await assert.rejects(client.incr('text'), errors.notInteger);
  await assert.rejects(client.lpush('list', 'v'), errors.unknown);
  await assert.rejects(client.subscribe('news'), errors.unknown);
  await assert.rejects(client.eval('return 1', 0), errors.unknown);
  assert.strictEqual(await client.client('ID'), id);
}

// All that ioredis has heard of, but for what changes the conversation or ends the keys.
async function everyCommand() {
  const { list } = require('@ioredis/commands');
  const others = ['auth', 'client', 'flushall', 'flushdb', 'hello', 'multi', 'monitor', 'quit',
    'reset', 'select'];
  const id = await client.client('ID');
  let unknown = 0;
  for (const name of list.filter((each) => !others.includes(each))) {
    for (const words of [[], ['a'], ['a', 'b']]) {
      await client.call(name, ...words).catch((error) => {
        assert.strictEqual(error.name, 'ReplyError', `${name}: ${error}`);
        if (errors.unknown.test(error)) ++unknown;
      });
    }
  }
  assert.ok(unknown > 300, String(unknown));
  assert.strictEqual(await client.client('ID'), id);
}

async function reconnects() {
  const id = await client.client('ID');
  assert.strictEqual(await client.ping(cut), cut);
  assert.notStrictEqual(await client.client('ID'), id);
  assert.strictEqual(await client.client('GETNAME'), 'tests');
}

async function strangers() {
  if (!password) return;
  for (const wrong of [undefined, 'wrong']) {
    const stranger = connect({ password: wrong, retryStrategy: null });
    stranger.on('error', () => {});
    await assert.rejects(stranger.get('k'), errors.notWelcome);
    stranger.disconnect();
  }
}

// What ioredis calls by names of its own.
const words = {
  client: () => client,
  open: (db) => connect({ db }),
  close: (other) => other.disconnect(),
  getBytes: (key) => client.getBuffer(key),
  getMany: (keys) => client.mget(keys),
  setMany: (other, values) => other.mset(values),
  setFor: (key, value, seconds) => client.setex(key, seconds, value),
  keys: (other, pattern) => other.keys(pattern),
  size: (other) => other.dbsize(),
  flush: (other) => other.flushdb(),
};

runParts([strings, expiry, severalKeys, numbers, transactions, pipelines, scans, wrongRequests,
  everyCommand, reconnects, strangers, ...sharedParts(words)], () => client.quit());
