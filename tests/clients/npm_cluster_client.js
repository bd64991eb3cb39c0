// npm's clients of a cluster, ioredis, node-redis and valkey-glide, against a server that is all of
// one.
'use strict';

const assert = require('assert');
const { Cluster } = require('ioredis');
const { createCluster } = require('redis');
const { GlideClusterClient, Logger } = require('@valkey/valkey-glide');
const { host, port, password, runParts, unicode, errors } = require('./resp_client_parts.js');

Logger.init('off');
const cluster = new Cluster([{ host, port }], {
  redisOptions: { password }, clusterRetryStrategy: () => 1, scaleReads: 'all',
});

async function knowsTheNodes() {
  assert.strictEqual(await cluster.ping(), 'PONG');
  assert.strictEqual(cluster.nodes('master').length, 1);
  assert.strictEqual(cluster.nodes('slave').length, 0);
  const info = await cluster.cluster('INFO');
  assert.match(info, /cluster_state:ok/);
  assert.match(info, /cluster_slots_ok:16384/);
  const slots = await cluster.cluster('SLOTS');
  assert.strictEqual(slots.length, 1);
  const [from, to, [nodeHost, nodePort, id]] = slots[0];
  assert.deepStrictEqual([from, to, nodeHost, nodePort], [0, 16383, host, port]);
  assert.strictEqual(await cluster.cluster('MYID'), id);
  assert.match(await cluster.cluster('NODES'), new RegExp(`^${id} ${host}:${port}@.* 0-16383\n$`));
}

async function slotsOfKeys() {
  // Examples of the specification; of a key with braces only what is inside counts.
  for (const [key, slot] of [['123456789', 12739], ['foo', 12182], ['{user1000}.a', 3443],
    ['{user1000}.b', 3443], ['{}.a', 8029], ['', 0]]) {
    assert.strictEqual(await cluster.cluster('KEYSLOT', key), slot, key);
  }
}

async function manyKeys() {
  const names = Array.from({ length: 1000 }, (_, i) => `name${i}`);
  await Promise.all(names.map((name) => cluster.set(name, `${name}-${unicode}`)));
  const found = await Promise.all(names.map((name) => cluster.get(name)));
  found.forEach((value, i) => assert.strictEqual(value, `name${i}-${unicode}`));
  assert.strictEqual(await cluster.mset('{a}1', '1', '{a}2', '2'), 'OK');
  assert.deepStrictEqual(await cluster.mget('{a}1', '{a}none', '{a}2'), ['1', null, '2']);
  assert.strictEqual(await cluster.del('{a}1', '{a}2'), 2);
}

async function pipelinesAndTransactions() {
  const pipeline = cluster.pipeline();
  for (let i = 0; i < 100; ++i) pipeline.incr('{n}1').get('{n}1');
  (await pipeline.exec()).forEach(([error, reply], i) => {
    assert.strictEqual(error, null);
    assert.strictEqual(Number(reply), Math.floor(i / 2) + 1);
  });
  assert.deepStrictEqual(await cluster.multi().set('{x}1', '1').incr('{x}1').exec(),
    [[null, 'OK'], [null, 2]]);
  await assert.rejects(cluster.lpush('list', 'v'), errors.unknown);
}

async function scans() {
  const found = new Set();
  for await (const keys of cluster.nodes('master')[0].scanStream({ match: 'name*', count: 100 })) {
    keys.forEach((key) => found.add(key));
  }
  assert.strictEqual(found.size, 1000);
}

async function nodeRedis() {
  const client = createCluster({
    rootNodes: [{ socket: { host, port } }], defaults: { password },
  });
  await client.connect();
  assert.strictEqual(client.masters.length, 1);
  assert.strictEqual(await client.get('name7'), `name7-${unicode}`);
  await client.mSet([['{a}1', '1'], ['{a}2', '2']]);
  assert.deepStrictEqual(await client.mGet(['{a}1', '{a}2']), ['1', '2']);
  assert.deepStrictEqual(await client.multi().incr('{a}1').get('{a}2').exec(), [2, '2']);
  await client.close();
}

async function valkeyGlide() {
  const client = await GlideClusterClient.createClient({
    addresses: [{ host, port }], credentials: password ? { password } : undefined,
    requestTimeout: 30000,
  });
  assert.strictEqual(await client.get('name7'), `name7-${unicode}`);
  // Keys of several slots: it asks for each by itself.
  await client.mset({ one: '1', two: '2', three: '3' });
  assert.deepStrictEqual(await client.mget(['one', 'two', 'three']), ['1', '2', '3']);
  assert.strictEqual(await client.del(['one', 'two', 'three', 'four']), 3);
  client.close();
}

runParts([knowsTheNodes, slotsOfKeys, manyKeys, pipelinesAndTransactions, scans, nodeRedis,
  valkeyGlide], () => cluster.quit());
