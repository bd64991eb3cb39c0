<?php
// php-memcached in binary mode against the server at $argv[1]:$argv[2], with the user and the
// password of $argv[3] and $argv[4] if they are given. Exits 0 if every answer is right.

function expect(string $what, $is, $should): void
{
    if ($is === $should) {
        return;
    }
    fwrite(STDERR, "$what: " . var_export($is, true) . "\n");
    exit(1);
}

$client = new Memcached();
$client->setOption(Memcached::OPT_BINARY_PROTOCOL, true);
if (isset($argv[4])) {
    $client->setSaslAuthData($argv[3], $argv[4]);
}
$client->addServer($argv[1], (int) $argv[2]);

expect('set', $client->set('k', 'one'), true);
expect('get', $client->get('k'), 'one');
expect('a miss', $client->get('none'), false);
expect('its code', $client->getResultCode(), Memcached::RES_NOTFOUND);
expect('add', $client->add('k', 'two'), false);
expect('replace', $client->replace('none', 'x'), false);
$client->setOption(Memcached::OPT_COMPRESSION, false);
expect('set', $client->set('raw', 'middle'), true);
expect('append', $client->append('raw', '-end'), true);
expect('prepend', $client->prepend('raw', 'start-'), true);
expect('joined', $client->get('raw'), 'start-middle-end');
echo "ok stores\n";

foreach ([42, 1.5, true, ['a' => [1, 2]], str_repeat('x', 500000), "\0\r\n\xff"] as $value) {
    expect('set', $client->set('typed', $value), true);
    expect('get', $client->get('typed'), $value);
}
echo "ok values\n";

expect('increment', $client->increment('n', 5, 10, 100), 10);
expect('increment', $client->increment('n', 5, 10, 100), 15);
expect('decrement', $client->decrement('n', 20), 0);
echo "ok numbers\n";

$got = $client->get('k', null, Memcached::GET_EXTENDED);
expect('cas', $client->cas($got['cas'], 'k', 'new'), true);
expect('old cas', $client->cas($got['cas'], 'k', 'newer'), false);
expect('its code', $client->getResultCode(), Memcached::RES_DATA_EXISTS);
echo "ok cas\n";

$many = [];
for ($i = 0; $i < 300; ++$i) {
    $many["many$i"] = $i;
}
expect('setMulti', $client->setMulti($many), true);
expect('getMulti', $client->getMulti([...array_keys($many), 'none']), $many);
expect('deleteMulti', array_unique(array_values($client->deleteMulti(array_keys($many)))), [true]);
echo "ok many\n";

expect('touch', $client->touch('k', 100), true);
expect('delete', $client->delete('k'), true);
expect('delete again', $client->delete('k'), false);
expect('stats', (int) current($client->getStats())['curr_items'] > 0, true);
expect('version', str_starts_with(current($client->getVersion()), '1.6'), true);
expect('flush', $client->flush(), true);
expect('after flush', $client->get('raw'), false);
echo "ok the rest\n";
