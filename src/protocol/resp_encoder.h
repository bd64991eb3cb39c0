// Replies in RESP2 and RESP3, which differ in how they spell that there is nothing.
//
// What a number, a word or a value means depends on the command: Extras::opcode is the RespCommand.
// A command without extras is a GET or a SET.
#ifndef LARDER_PROTOCOL_RESP_ENCODER_H_
#define LARDER_PROTOCOL_RESP_ENCODER_H_

#include <cstddef>

#include "larder/command.h"
#include "larder/outcome.h"

namespace larder::protocol {

size_t EncodedRespBytesMax(const Command& command, const Outcome& outcome);
char* EncodeResp2(const Command& command, const Outcome& outcome, char* out);
char* EncodeResp3(const Command& command, const Outcome& outcome, char* out);
char* EncodeRespHead(const Command& command, const Outcome& outcome, char* out);
char* EncodeRespTail(const Command& command, const Outcome& outcome, char* out);

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_RESP_ENCODER_H_
