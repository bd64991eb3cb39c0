<?php
// phpredis against the server at $argv[1]:$argv[2], with the password $argv[3] unless that is
// empty. Exits 0 if every answer is right.

const CUT = 'cut-this-connection';
const MANY_KEYS = 20000;
const KEYS_LISTED_MAX = 5000;
define('BINARY', implode(array_map('chr', range(0, 255))) . "\r\n\r\n");

function stop(string $message): void {
    print "$message\n";
    exit(1);
}

function expect(string $what, $expected, $actual): void {
    if ($expected !== $actual) {
        stop("$what: expected " . var_export($expected, true) .
            ', got ' . var_export($actual, true));
    }
}

// Some of the time may have passed.
function expectNear(string $what, int $wanted, int $remains): void {
    if ($remains > $wanted || $remains <= 0.7 * $wanted) {
        stop("$what: expected $wanted, got $remains");
    }
}

// The client tells most errors by false and a last error, some by an exception.
function expectError(string $message, Redis $client, callable $ask): void {
    $client->clearLastError();
    try {
        $answer = $ask($client);
        $error = $client->getLastError();
    } catch (RedisException $exception) {
        $answer = false;
        $error = $exception->getMessage();
    }
    expect("an answer, not $message", false, $answer);
    expect('its error', $message, substr((string)$error, 0, strlen($message)));
}

function connect(?string $password = null): Redis {
    global $argv;
    $client = new Redis();
    $client->connect($argv[1], (int)$argv[2], 30.0);
    $password = $password ?? $argv[3];
    if ($password !== '') {
        $client->auth($password);
    }
    return $client;
}

$client = connect();
$client->client('setname', 'tests');
expect('getname', 'tests', $client->client('getname'));

expect('set', true, $client->set('k', 'one'));
expect('get', 'one', $client->get('k'));
expect('a miss', false, $client->get('none'));
expect('set nx', false, $client->set('k', 'two', ['nx']));
expect('set xx', true, $client->set('k', 'two', ['xx', 'ex' => 100]));
expect('getset', 'two', $client->getSet('k', 'three'));
expect('append', 9, $client->append('k', '-end'));
expect('getrange', 'three', $client->getRange('k', 0, 4));
expect('setrange', 9, $client->setRange('k', 5, '+'));
expect('strlen', 9, $client->strlen('k'));
expect('rawCommand', 'three+end', $client->rawCommand('GETDEL', 'k'));
expect('exists', 0, $client->exists('k'));
expect('unicode', true, $client->set('Grüße', '世界') && $client->get('Grüße') === '世界');
print "ok strings\n";

expect('setex', true, $client->setex('t', 100, 'v'));
expectNear('ttl', 100, $client->ttl('t'));
expect('pexpire', true, $client->pExpire('t', 50000));
expectNear('pttl', 50000, $client->pttl('t'));
expect('persist', true, $client->persist('t'));
expect('ttl of what never expires', -1, $client->ttl('t'));
expect('expireAt', true, $client->expireAt('t', 1));
expect('ttl of what has expired', -2, $client->ttl('t'));
print "ok expiry\n";

expect('mset', true, $client->mSet(['a' => '1', 'b' => '2']));
expect('mget', ['1', false, '2'], $client->mGet(['a', 'none', 'b']));
expect('msetnx', 0, (int)$client->mSetNx(['b' => '3', 'c' => '4']));
expect('rename', true, $client->rename('b', 'c'));
expect('renameNx', false, $client->renameNx('c', 'a'));
expect('del', 2, $client->del('a', 'b', 'c'));
expect('type', Redis::REDIS_NOT_FOUND, $client->type('a'));
print "ok several keys\n";

expect('incr', 1, $client->incr('n'));
expect('incrBy', 42, $client->incrBy('n', 41));
expect('decrBy', -8, $client->decrBy('n', 50));
expect('incrByFloat', -7.5, $client->incrByFloat('n', 0.5));
print "ok numbers\n";

expect('multi', [true, 2, false],
    $client->multi()->set('x', '1')->incr('x')->get('none')->exec());
$other = connect();
$client->watch('x');
$other->set('x', 'changed');
expect('a watched key that changed', false, $client->multi()->set('x', 'lost')->exec());
expect('get', 'changed', $client->get('x'));
$client->multi()->set('x', 'lost')->discard();
expect('discard', 'changed', $client->get('x'));
print "ok transactions\n";

$pipeline = $client->pipeline();
$wanted = [];
for ($i = 0; $i < 1000; ++$i) {
    $pipeline->set("p$i", (string)$i)->get("p$i");
    array_push($wanted, true, (string)$i);
}
expect('a pipeline', $wanted, $pipeline->exec());
print "ok pipelines\n";

$client->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
$found = [];
$cursor = null;
while ($keys = $client->scan($cursor, 'p*', 100)) {
    foreach ($keys as $key) {
        $found[$key] = true;
    }
}
expect('scan', 1000, count($found));
expect('keys', 10, count($client->keys('p99?')));
print "ok scans\n";

$number = $client->rawCommand('CLIENT', 'ID');
$client->set('text', 'abc');
expectError('ERR value is not an integer or out of range', $client, fn ($c) => $c->incr('text'));
expectError("ERR unknown command 'LPUSH', with args beginning with: 'list' 'v' ", $client,
    fn ($c) => $c->lPush('list', 'v'));
expectError('ERR unknown command', $client, fn ($c) => $c->eval('return 1'));
expectError('ERR unknown command', $client, fn ($c) => $c->hSet('hash', 'field', 'v'));
expect('the connection', $number, $client->rawCommand('CLIENT', 'ID'));
print "ok wrong requests\n";

foreach ([BINARY, str_repeat("\x07", 900000), ''] as $value) {
    $client->set('large', $value);
    expect('a value', $value, $client->get('large'));
}
$client->set('large', 'old');
expectError('ERR string exceeds maximum allowed size (proto-max-bulk-len)', $client,
    fn ($c) => $c->set('large', str_repeat('x', 3 << 20)));
expect('what was there', 'old', $client->get('large'));
// The client's own ways to store what is not a string.
$client->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_PHP);
foreach ([42, 1.5, true, null, ['a' => [1, 2]]] as $value) {
    $client->set('typed', $value);
    expect('a value', $value, $client->get('typed'));
}
$client->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_NONE);
print "ok large values\n";

$key = str_repeat('k', 65535);
$client->set($key, 'v');
expect('mget', ['v', false], $client->mGet([$key, 'none']));
expectError('ERR key is longer than 65535 bytes', $client, fn ($c) => $c->set("{$key}k", 'v'));
expect('ping', true, $client->ping());
print "ok long keys\n";

$third = connect();
$third->select(3);
$client->set('here', '0');
expect('another database', false, $third->get('here'));
$third->set('here', '3');
$third->select(0);
expect('select', '0', $third->get('here'));
expectError('ERR DB index is out of range', $third, fn ($c) => $c->select(16));
print "ok databases\n";

$fifth = connect();
$fifth->select(5);
$all = [];
for ($i = 0; $i < MANY_KEYS; ++$i) {
    $all["name:$i"] = 'v';
}
$fifth->mSet($all);
expect('keys at their limit', true, count($fifth->keys('*')) < KEYS_LISTED_MAX);
expect('dbSize', MANY_KEYS, $fifth->dbSize());
$fifth->flushDB();
expect('dbSize', 0, $fifth->dbSize());
print "ok keys end at their limit\n";

expect('info', 'master', $client->info()['role']);
expect('config', ['maxmemory-policy' => 'allkeys-lfu'], $client->config('GET', 'maxmemory-policy'));
expect('time', 2, count($client->time()));
print "ok what it tells about itself\n";

// The client asks nothing twice: at times it connects again and waits for an answer to what it has
// asked before, until its time is up. The next command is answered.
$client->setOption(Redis::OPT_READ_TIMEOUT, 0.1);
try {
    $client->ping(CUT);
    stop('the connection was not cut');
} catch (RedisException $lost) {
}
$client->setOption(Redis::OPT_READ_TIMEOUT, 30);
expect('another connection', true, $client->rawCommand('CLIENT', 'ID') !== $number);
print "ok reconnects\n";

if ($argv[3] !== '') {
    expectError('NOAUTH', connect(''), fn ($c) => $c->get('k'));
    expectError('WRONGPASS', $other, fn () => connect('wrong'));
}
print "ok strangers\n";

$value = $client->get('from-memcached');
expect('what Memcached stored', BINARY, $value);
$client->setex('from-redis', 100, $value);
expect('incr of what Memcached stored', 42, $client->incr('shared-number'));
print "ok shared with Memcached\n";
