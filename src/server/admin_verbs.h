// Administration of parts that memcached has and Larder has not: slabs, LRU lists, the crawler.
// Tools that tend them get the answers that they expect, and nothing happens.
#ifndef LARDER_SERVER_ADMIN_VERBS_H_
#define LARDER_SERVER_ADMIN_VERBS_H_

#include <string_view>

#include "larder/command.h"

namespace larder::server {

// memcached's answer to a command that is right or wrong in such a way; with its line end. Of
// `slabs`, `lru` and `lru_crawler`, whose words are the command's key.
std::string_view AnswerAdmin(const Command& command);

}  // namespace larder::server

#endif  // LARDER_SERVER_ADMIN_VERBS_H_
