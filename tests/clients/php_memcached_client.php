<?php
// php-memcached in its text mode against the server at $argv[1]:$argv[2]. Prints "ok" if every
// answer is right.

$failures = 0;
function expect(string $what, $expected, $actual): void {
    global $failures;
    if ($expected === $actual) {
        return;
    }
    ++$failures;
    print "$what: expected " . var_export($expected, true) . ', got ' . var_export($actual, true) . "\n";
}

$client = new Memcached();
$client->setOption(Memcached::OPT_BINARY_PROTOCOL, false);
$client->setOption(Memcached::OPT_COMPRESSION, false);
$client->setOption(Memcached::OPT_CONNECT_TIMEOUT, 30000);
$client->setOption(Memcached::OPT_POLL_TIMEOUT, 30000);
$client->addServer($argv[1], (int)$argv[2]);

expect('set', true, $client->set('k', 'one'));
expect('get', 'one', $client->get('k'));
expect('add of a present key', false, $client->add('k', 'two'));
expect('its reason', Memcached::RES_NOTSTORED, $client->getResultCode());
expect('add of a missing key', true, $client->add('new', 'two'));
expect('replace of a present key', true, $client->replace('k', 'three'));
expect('replace of a missing key', false, $client->replace('missing', 'x'));
expect('append', true, $client->append('k', '-end'));
expect('prepend', true, $client->prepend('k', 'start-'));
expect('append and prepend are seen', 'start-three-end', $client->get('k'));
expect('get of a missing key', false, $client->get('missing'));
expect('its reason', Memcached::RES_NOTFOUND, $client->getResultCode());

// Types travel in the client flags.
foreach ([42, 1.5, true, ['a' => [1, 2]], '', str_repeat("\0\r\n", 50), str_repeat('x', 500000)] as $i => $value) {
    expect("set of value $i", true, $client->set("type$i", $value));
    expect("value $i", $value, $client->get("type$i"));
}
$client->setOption(Memcached::OPT_COMPRESSION, true);
expect('set, compressed', true, $client->set('zip', str_repeat('abc', 100000)));
expect('get, compressed', str_repeat('abc', 100000), $client->get('zip'));

$values = [];
for ($i = 0; $i < 300; ++$i) {
    $values["many$i"] = "value$i";
}
expect('setMulti', true, $client->setMulti($values));
$found = $client->getMulti(array_merge(array_keys($values), ['missing']));
ksort($values);
ksort($found);
expect('getMulti', $values, $found);
$client->setOption(Memcached::OPT_NO_BLOCK, true);
expect('setMulti without waiting', true, $client->setMulti($values, 100));
$client->setOption(Memcached::OPT_NO_BLOCK, false);

$reply = $client->get('k', null, Memcached::GET_EXTENDED);
expect('cas', true, $client->cas($reply['cas'], 'k', 'four'));
expect('cas again', false, $client->cas($reply['cas'], 'k', 'five'));
expect('its reason', Memcached::RES_DATA_EXISTS, $client->getResultCode());

$client->set('n', 10);
expect('increment', 15, $client->increment('n', 5));
expect('decrement stops at 0', 0, $client->decrement('n', 20));
expect('increment of a missing key', false, $client->increment('missing'));
expect('touch', true, $client->touch('n', 100));
expect('touch of a missing key', false, $client->touch('missing', 100));
expect('delete', true, $client->delete('n'));
expect('delete of a missing key', false, $client->delete('n'));
expect('deleteMulti', array_fill_keys(['new', 'k'], true), $client->deleteMulti(['new', 'k']));
expect('expired at once', true, $client->set('dead', 'x', 1) && $client->touch('dead', -1));
expect('get of what has expired', false, $client->get('dead'));

$server = "$argv[1]:$argv[2]";
$stats = $client->getStats();
expect('stats', true, $stats[$server]['curr_items'] >= 300);
expect('version', 1, preg_match('/^1\.6\.\d+$/', $client->getVersion()[$server]));
expect('flush', true, $client->flush());
expect('nothing after flush', false, $client->get('many1'));

if ($failures === 0) {
    print "ok\n";
}
exit($failures === 0 ? 0 : 1);
