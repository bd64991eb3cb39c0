<?php
// A page with a session in the cache at $argv[1] (host:port): counts its visits. $argv[2] is the
// session's name, as a cookie would bring it.
ini_set('session.save_handler', 'memcached');
ini_set('session.save_path', $argv[1]);
ini_set('memcached.sess_binary_protocol', '1');
ini_set('memcached.sess_locking', '1');
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
session_id($argv[2]);
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
echo $_SESSION['visits'], "\n";
if (($argv[3] ?? '') === 'logout') {
    session_destroy();
} else {
    session_write_close();
}
