#include "server/message.h"

#include "io/socket.h"
#include "server/placement.h"

namespace larder::server {

void Message::Drop() {
  FreeBlock();
  if (kind == Kind::kLentReply) loan->Return();
  if (kind == Kind::kClient) io::UniqueFd(static_cast<int>(number)).Reset(-1);
  if (kind == Kind::kMoved) delete client;
}

}  // namespace larder::server
