// npm `connect-redis` against a server: sessions of an application on express-session.
'use strict';

const assert = require('assert');
const http = require('http');
const { createClient } = require('redis');
const { host, port, password, runParts, cut } = require('./resp_client_parts.js');

const client = createClient({ socket: { host, port, reconnectStrategy: () => 1 }, password });
client.on('error', () => {});

let store;
let server;

async function begins() {
  const session = require('express-session');
  const { RedisStore } = await import('connect-redis');
  await client.connect();
  store = new RedisStore({ client, prefix: 'sess:', ttl: 1000 });
  const middleware = session({
    store, secret: 'of a test', resave: false, saveUninitialized: false,
  });
  server = http.createServer((request, response) => {
    middleware(request, response, (error) => {
      if (error) {
        response.statusCode = 500;
        response.end(String(error));
      } else {
        serve(request, response);
      }
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
}

// The application: counts visits, and forgets them at /logout.
function serve(request, response) {
  if (request.url === '/logout') {
    request.session.destroy((error) => response.end(error ? String(error) : 'gone'));
    return;
  }
  request.session.visits = (request.session.visits || 0) + 1;
  request.session.basket = (request.session.basket || []).concat('item'.repeat(1000));
  response.end(`${request.session.visits} ${request.session.basket.length}`);
}

// One request: its body, and the cookie that it set or came with.
function visit(path, cookie) {
  return new Promise((resolve, reject) => {
    const headers = cookie ? { cookie } : {};
    http.get({ host: '127.0.0.1', port: server.address().port, path, headers, agent: false },
      (response) => {
        let body = '';
        response.on('data', (data) => { body += data; });
        response.on('end', () => {
          const [set] = response.headers['set-cookie'] || [];
          resolve({ body, cookie: set ? set.split(';')[0] : cookie });
        });
      }).on('error', reject);
  });
}

async function sessionsLive() {
  let cookie;
  for (let i = 1; i <= 3; ++i) {
    const answer = await visit('/', cookie);
    assert.strictEqual(answer.body, `${i} ${i}`);
    cookie = answer.cookie;
  }
  assert.strictEqual((await visit('/')).body, '1 1');
  const [key] = await client.keys('sess:*');
  const remains = await client.ttl(key);
  assert.ok(remains > 500 && remains <= 1000, String(remains));

  assert.strictEqual((await visit('/logout', cookie)).body, 'gone');
  assert.strictEqual((await visit('/', cookie)).body, '1 1');
}

async function manyAtOnce() {
  await store.clear();
  const answers = await Promise.all(Array.from({ length: 300 }, () => visit('/')));
  answers.forEach(({ body }) => assert.strictEqual(body, '1 1'));
  assert.strictEqual(await store.length(), 300);
  assert.strictEqual(new Set(await store.ids()).size, 300);
  (await store.all()).forEach((each) => assert.strictEqual(each.visits, 1));
  await store.clear();
  assert.strictEqual(await store.length(), 0);
}

async function sessionsOutliveAConnection() {
  const { cookie } = await visit('/');
  await assert.rejects(client.ping(cut));
  assert.strictEqual((await visit('/', cookie)).body, '2 2');
}

async function leavesAValue() {
  await store.set('left', { cookie: {}, visits: 7 });
}

runParts([begins, sessionsLive, manyAtOnce, sessionsOutliveAConnection, leavesAValue], () => {
  server.close();
  return client.close();
});
