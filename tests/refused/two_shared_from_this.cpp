// Does not compile: std::make_shared would set neither of the two weak pointers.
#include <memory>

#include "netcore/netcore.h"

namespace {

class Game final : public netcore::Session, public std::enable_shared_from_this<Game> {};

}  // namespace

netcore::SessionFactory TwoSharedFromThis() { return netcore::MakeSession<Game>; }
