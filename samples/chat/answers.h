// The packets that the server sends, each one buffer that any number of sessions may share.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "chat/protocol.h"
#include "netcore/buffer/send_buffer.h"

namespace samples::chat {

/// A packet with `text` as its payload, at most kMaxAnswerBytes. Throws std::bad_alloc.
netcore::SendBufferRef MakeAnswer(PacketType type, std::string_view text);

/// Appends a packet of kChat, "name : text". Throws std::bad_alloc; nothing is appended then.
void AppendSaid(std::string& packets, std::string_view name, std::string_view text);

/// A notice that is no error, put together from `parts`: "* bob joined". Throws std::bad_alloc.
netcore::SendBufferRef MakeNews(std::initializer_list<std::string_view> parts);

}  // namespace samples::chat
