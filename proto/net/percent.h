// Percent signs as in URLs, which gRPC's addresses and those of proxies are written like. Pure.
#ifndef WORMHOLE_PROTO_NET_PERCENT_H_
#define WORMHOLE_PROTO_NET_PERCENT_H_

#include <string>
#include <string_view>

namespace wormhole::net {

// %5B and %5b become [. A percent sign that escapes nothing stands for itself: passwords are pasted
// as they are.
std::string PercentDecoded(std::string_view text);

}  // namespace wormhole::net

#endif  // WORMHOLE_PROTO_NET_PERCENT_H_
