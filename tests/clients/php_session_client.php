<?php
// One request of a PHP application that keeps its sessions in memcached: counts its visits.
// $argv[1]: the session's name; $argv[2]: "visit", "destroy" or "regenerate". Prints the visits.

session_id($argv[1]);
if (!session_start()) {
    exit(1);
}
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
$_SESSION['basket'][] = str_repeat('item', 1000);
$answer = $_SESSION['visits'] . ' ' . count($_SESSION['basket']);
if ($argv[2] === 'destroy') {
    session_destroy();
} elseif ($argv[2] === 'regenerate') {
    session_regenerate_id(true);
    $answer .= ' ' . session_id();
    session_write_close();
} else {
    session_write_close();
}
// Last: PHP sends no headers after output, and would say so.
print "$answer\n";
